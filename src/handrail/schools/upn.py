"""Unique pupil numbers: a check letter, an authority, an establishment, a year and a serial number. Pure.

A pupil keeps the number through every move and reorganisation, so the authority in it may be any that ever was: one
that nobody knows is worth a second look and no more.
"""

from dataclasses import dataclass

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""I, O and S are not used: they look like digits."""

LENGTH = 13
INVENTED = frozenset(range(1, 6))
"""The authority codes of the demonstration and the tests, which no real authority has."""


class NotAUpn(ValueError):
    """The text cannot be a unique pupil number; the message says why in words for the person."""


@dataclass(frozen=True)
class Upn:
    """A number that is well formed."""

    text: str

    @property
    def authority(self) -> str:
        """The code of the authority that gave it."""
        return self.text[1:4]

    @property
    def is_temporary(self) -> bool:
        return self.text[-1] in LETTERS

    @property
    def warning(self) -> str:
        """What to look at again, or nothing."""
        code = int(self.authority)
        if code in INVENTED or 201 <= code <= 999:
            return ""
        return f"No local authority has had the code {self.authority}. Check the UPN against its source."


def read(typed: str) -> Upn:
    """The number that was typed, with spaces and small letters made good. Raises NotAUpn."""
    text = "".join(typed.split()).upper()
    if len(text) != LENGTH:
        raise NotAUpn("UPN must be 13 characters, like A123456789012")
    if text[0] not in LETTERS or not _is_number(text[1:12]) or not (_is_number(text[12]) or text[12] in LETTERS):
        raise NotAUpn("UPN must be a letter and 12 numbers, like A123456789012")
    if text[0] != check_letter(text):
        raise NotAUpn("UPN is not right: its first letter does not fit its numbers")
    return Upn(text)


def check_letter(text: str) -> str:
    """The letter that belongs before the twelve characters after the first of `text`."""
    total = sum(weight * _value(character) for weight, character in enumerate(text[1:], start=2))
    return LETTERS[total % len(LETTERS)]


def _value(character: str) -> int:
    return LETTERS.index(character) if character in LETTERS else int(character)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
