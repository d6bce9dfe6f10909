"""Which passwords are easy to guess: common ones, dressed up or not, and words that everybody here would think of."""

import gzip
import re
from functools import cached_property
from pathlib import Path
from string import digits, punctuation
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from tenants.database import require_bound

WORDS = (
    *("handrail", "password", "passphrase", "welcome", "letmein", "qwerty", "summer", "winter", "autumn", "spring"),
    *("council", "county", "borough", "authority", "school", "academy", "college", "hospital", "teacher", "pupil"),
    *("children", "child", "medical", "medicine", "health", "allergy", "safety", "policy", "plan", "office", "admin"),
)
"""What the product, its customers and their work are called, and what people take when a system makes them change."""

LEAST_LEFT = 8
"""Characters that must remain without those."""

LONG_ONES = Path(__file__).with_name("common_passwords.txt.gz")
"""The most common of those found in breaches that are long enough to be chosen here. Its source is named beside it."""

EASY = "This is easy to guess. Leave out names, words about your work, and numbers at the end"


class HardToGuess(CommonPasswordValidator):
    """Refuses what is common, or little more than names and words of `WORDS`, whatever is put around it."""

    @cached_property
    def long_ones(self) -> frozenset[str]:
        with gzip.open(LONG_ONES, "rt", encoding="ascii") as lines:
            return frozenset(line.rstrip("\n") for line in lines)

    def is_common(self, password: str) -> bool:
        return password in self.long_ones or password in self.passwords

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        typed = re.sub(r"\s", "", password.lower())
        left = typed
        for word in sorted((*WORDS, *names_of(user)), key=len, reverse=True):
            left = left.replace(word, "")
        left = re.sub(r"^(.+?)\1+$", r"\1", left)
        dressed = {each.strip(around) for each in (typed, left) for around in ("", punctuation, digits + punctuation)}
        if len(left) < LEAST_LEFT or any(map(self.is_common, dressed | {password.lower().strip()})):
            raise ValidationError(EASY, code="password_easy_to_guess")


def names_of(user: Any) -> list[str]:
    """The words of the names of the authority, the person and their schools, and of the e-mail address.

    Of its end only longer ones: everybody's has `org` or `gov`.
    """
    before, _, after = getattr(user, "email", "").partition("@")
    schools = user.memberships.values_list("school__name", flat=True) if getattr(user, "pk", None) else []
    known = [require_bound().name, getattr(user, "name", ""), before, *(name for name in schools if name)]
    words = [word for word in re.findall(r"[^\W\d_]+", " ".join(known).lower()) if len(word) > 2]
    return words + [word for word in re.findall(r"[^\W\d_]+", after.lower()) if len(word) > 3]
