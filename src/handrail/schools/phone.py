"""Phone numbers as people give them. Pure."""

import re
import unicodedata

LONGEST = 30
FEWEST_DIGITS = 6


class NotAPhoneNumber(ValueError):
    """Nobody could be rung under what was typed. Says so to the person."""


def plain_phone(typed: str) -> str:
    """The number with single spaces and plain digits, as it was grouped. Raises NotAPhoneNumber."""
    text = " ".join(unicodedata.normalize("NFKC", typed).split())
    digits = sum(letter.isdigit() for letter in text)
    if len(text) > LONGEST or digits < FEWEST_DIGITS or not re.fullmatch(r"\+?[0-9() -]+( ?(x|ext\.?) ?[0-9]+)?", text):
        raise NotAPhoneNumber("Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192")
    return text


def dialled(phone: str) -> str:
    """The number as a phone takes it: up to an extension, and without the "(0)" that no phone dials after a plus."""
    number = re.split("x|ext", phone)[0]
    return re.sub(r"[^0-9+]", "", number.replace("(0)", "") if number.startswith("+") else number)
