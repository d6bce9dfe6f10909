"""E-mail addresses as people give them: made plain before anything is compared, and refused when they only look right.

Pure. A code to sign in goes to the address, so one that merely looks like a colleague's must never become an account.
"""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST = 254
NO_ADDRESS = "Enter an e-mail address in the right form, like name@example.com"
LOOK_ALIKE = "This address uses letters that look like others. Type it again with plain letters, a to z"


class NotAnEmailAddress(ValueError):
    """The address could not be written to, or is not what it looks like. Says so to the person."""


def plain_address(typed: str) -> str:
    """The address in lower case. Raises NotAnEmailAddress.

    Wide and other compatible forms of a letter become the letter itself. What then is not ASCII, or is spelt in the
    code for domains that are not (`xn--`), may look like another address and is refused.
    """
    if len(typed) > LONGEST:
        raise NotAnEmailAddress(f"E-mail address must be {LONGEST} characters or fewer")
    address = unicodedata.normalize("NFKC", typed).strip().lower()
    labels = address.rpartition("@")[2].split(".")
    if not address.isascii() or any(label.startswith("xn--") for label in labels):
        raise NotAnEmailAddress(LOOK_ALIKE)
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotAnEmailAddress(NO_ADDRESS) from error
    return address
