"""Doing what a form asks, and saying beside its fields why not."""

from collections.abc import Callable
from typing import Any

from django.forms import Form

from handrail.care.actions import Refused


def tried(form: Form, action: Callable[..., object], **facts: Any) -> bool:
    """Whether the form was right and the action done, with `facts` and what the form gave. What the action refused
    stands beside its field.
    """
    if not form.is_valid():
        return False
    try:
        action(**facts, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(refusal.field, str(refusal))
        return False
    return True
