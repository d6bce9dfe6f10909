"""Which passwords are easy to guess: common ones, dressed up or not, and words that everybody here would think of."""

import re
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

EASY = "This is easy to guess. Leave out names, words about your work, and numbers at the end"


class HardToGuess(CommonPasswordValidator):
    """Refuses what is common, or little more than names and words of `WORDS`, whatever is put around it."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        left = re.sub(r"\s", "", password.lower())
        for word in sorted((*WORDS, *names_of(user)), key=len, reverse=True):
            left = left.replace(word, "")
        left = re.sub(r"^(.+?)\1+$", r"\1", left)
        if len(left) < LEAST_LEFT or self.passwords & {left, left.strip(punctuation), left.strip(digits + punctuation)}:
            raise ValidationError(EASY, code="password_easy_to_guess")


def names_of(user: Any) -> list[str]:
    """The words of the authority's and the person's names, and of the address before the @."""
    known = [require_bound().name, getattr(user, "name", ""), getattr(user, "email", "").partition("@")[0]]
    return [word for word in re.findall(r"[^\W\d_]+", " ".join(known).lower()) if len(word) > 2]
