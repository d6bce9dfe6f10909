"""A date typed in three boxes."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from handrail.core.forms.wording import in_sentence

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


class DateBoxes(forms.MultiWidget):
    """Three boxes: day, month, year; named `x_day`, `x_month` and `x_year`."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({box: forms.TextInput() for box in ("day", "month", "year")}, attrs)

    def decompress(self, value: date | None) -> list[str]:
        return [str(value.day), str(value.month), str(value.year)] if value else ["", "", ""]


class DateField(forms.Field):
    """A date typed in three boxes; a month may be a name ("nov").

    `noun` is the date's name in messages ("date of review"). With `when` "past" or "future" the caller gives the
    day it is now in `today`, usually in the form's `__init__`: `self.fields["reviewed_on"].today = today`. A day in
    `kept` is the one that stands: it may stay, though it is past by now.
    """

    widget = DateBoxes

    def __init__(
        self,
        *,
        noun: str = "",
        when: str = "",
        today: date | None = None,
        not_before: date = date(1900, 1, 1),
        not_after: date = date(2199, 12, 31),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.noun = noun or in_sentence(str(self.label or "date"))
        self.when = when
        self.today = today
        self.kept: date | None = None
        self.not_before = not_before
        self.not_after = not_after

    def to_python(self, value: Any) -> date | None:
        if value is None or isinstance(value, date):
            return value
        typed = dict(zip(("day", "month", "year"), (_plain(text) for text in value), strict=True))
        missing = [box for box, text in typed.items() if not text]
        if len(missing) == 3:
            return None
        if missing:
            raise self._wrong(f"must include a {' and '.join(missing)}", missing)
        parts = {"day": _number(typed["day"], 2), "month": _month(typed["month"]), "year": _number(typed["year"], 4)}
        most = {"day": 31, "month": 12, "year": 9999}
        wrong = [box for box, part in parts.items() if part is None or not 1 <= part <= most[box]]
        if wrong:
            raise self._wrong("must be a real date", wrong)
        if len(typed["year"]) != 4:
            raise self._wrong("must include a year with 4 numbers", ["year"])
        try:
            return date(**{box: part or 0 for box, part in parts.items()})
        except ValueError:
            raise self._wrong("must be a real date") from None

    def validate(self, value: date | None) -> None:
        if value is None:
            if self.required:
                raise ValidationError(f"Enter the {self.noun}", code="date", params={"boxes": ("day", "month", "year")})
            return
        if self.when and self.today is None:
            raise ValueError(f"The caller must say what day it is: give `today` to the date field {self.noun!r}.")
        if self.today and self.when == "past" and value > self.today:
            raise self._wrong("must be today or in the past")
        if self.today and self.when == "future" and value < self.today and value != self.kept:
            raise self._wrong("must be today or in the future")
        if value < self.not_before:
            raise self._wrong(f"must be on or after {_written(self.not_before)}")
        if value > self.not_after:
            raise self._wrong(f"must be on or before {_written(self.not_after)}")

    def _wrong(self, what: str, boxes: Sequence[str] = ("day", "month", "year")) -> ValidationError:
        return ValidationError(
            f"{self.noun[:1].upper()}{self.noun[1:]} {what}".replace("%", "%%"), code="date", params={"boxes": boxes}
        )


def _plain(text: str | None) -> str:
    """What was typed without spaces around it and with full-width digits made plain."""
    return unicodedata.normalize("NFKC", text or "").strip()


def _number(text: str, most: int) -> int | None:
    """A whole number of at most `most` ASCII digits, or None."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{most}}}", text) else None


def _month(text: str) -> int | None:
    """A month from its number, its name or the start of its name, or None."""
    name = text.lower().rstrip(".")
    if len(name) >= 3:
        return next((place for place, month in enumerate(MONTHS, 1) if month.startswith(name)), None)
    return _number(text, 2)


def _written(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


class AsAtForm(forms.Form):
    """For which day something is told that was recorded over time."""

    on = DateField(
        label="As at the end of which day?",
        noun="day",
        when="past",
        help_text="Today, or a day that has passed. What was recorded later is not in it.",
    )

    def __init__(self, *args: Any, today: date, since: date | None = None, **more: Any) -> None:
        """`since` is the first day of which anything was recorded."""
        super().__init__(*args, **more)
        field: Any = self.fields["on"]
        field.today = today
        if since:
            field.not_before = since
            field.help_text += f" Nothing was recorded before {_written(since)}."
