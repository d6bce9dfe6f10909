"""What forms say when something is wrong, where nobody has said it better."""

from typing import Any

from django import forms
from django.core import validators

# What Django says when a form says nothing else, and what we say instead.
WORDING: tuple[tuple[Any, str], ...] = (
    (forms.Field.default_error_messages["required"], "{verb} {noun}"),
    (forms.ChoiceField.default_error_messages["invalid_choice"], "Select {noun} from the list"),
    (forms.MultipleChoiceField.default_error_messages["invalid_choice"], "Select {noun} from the list"),
    (forms.ModelChoiceField.default_error_messages["invalid_choice"], "Select {noun} from the list"),
    (forms.IntegerField.default_error_messages["invalid"], "{label} must be a whole number"),
    (validators.EmailValidator.message, "Enter an e-mail address in the correct format, like name@example.com"),
    (
        forms.URLField.default_error_messages["invalid"],
        "Enter a web address in the correct format, like https://www.example.com",
    ),
    (validators.MaxLengthValidator.message, "{label} must be {limit_value} characters or fewer"),
    (validators.MinLengthValidator.message, "{label} must be {limit_value} characters or more"),
    (validators.MaxValueValidator.message, "{label} must be {limit_value} or less"),
    (validators.MinValueValidator.message, "{label} must be {limit_value} or more"),
)


def in_sentence(label: str) -> str:
    """A label as it reads inside a sentence: "Date of review" becomes "date of review", "URN" stays."""
    return label if label[:2].isalpha() and label[:2].isupper() else label[:1].lower() + label[1:]
