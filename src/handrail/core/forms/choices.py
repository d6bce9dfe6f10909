"""Radios and checkboxes whose choices have hints and show further fields."""

from collections.abc import Mapping
from typing import Any

from django import forms


class Radios(forms.RadioSelect):
    """Radios. `hints` explain single choices; `reveals` names the field that a choice shows below itself.

    Without JavaScript a revealed field is always shown, so the form must ignore it when its choice was not made.
    """

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        choices: Any = (),
        *,
        inline: bool = False,
        hints: Mapping[str, str] | None = None,
        reveals: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(attrs, choices)
        self.inline = inline
        self.hints = hints or {}
        self.reveals = reveals or {}


class Checkboxes(forms.CheckboxSelectMultiple):
    """Checkboxes. `hints` explain single choices; `reveals` names the field that a choice shows below itself."""

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        choices: Any = (),
        *,
        hints: Mapping[str, str] | None = None,
        reveals: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(attrs, choices)
        self.hints = hints or {}
        self.reveals = reveals or {}


def reveals_of(widget: forms.Widget) -> Mapping[str, str]:
    """Which choice of a widget shows which other field of the form."""
    found: Mapping[str, str] = getattr(widget, "reveals", {})
    return found
