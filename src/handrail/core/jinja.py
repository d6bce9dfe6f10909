"""The Jinja environment of our pages: what every template may call.

Nothing here asks what time it is, who is signed in or which authority we are in.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.contrib.messages import get_messages
from django.core.paginator import Page
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import json_script
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from handrail.core import charts
from handrail.core.calendar import LONDON, day_of
from handrail.core.forms.rendering import problems
from handrail.core.reference import reference

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
FOOTER = (
    ("Help", "/help/"),
    ("Cookies", "/cookies/"),
    ("Accessibility statement", "/accessibility/"),
    ("How we work out status", "/how-we-work-out-status/"),
)


def url(name: str, /, *args: Any, **kwargs: Any) -> str:
    """The address of a named page: `url("policies:record_review", pk=policy.pk)`."""
    return _address(name, args, tuple(kwargs.items()))


@lru_cache(maxsize=10_000)
def _address(name: str, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> str:
    """Always the same for the same, so that a list that is opened again does not work out its hundred links again."""
    return reverse(name, args=args or None, kwargs=dict(kwargs) or None)


def with_query(request: HttpRequest, /, **changes: Any) -> str:
    """This page's own query string with some names changed; `None` takes a name away."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return "?" + query.urlencode()


def page_links(page: Page[Any], request: HttpRequest) -> dict[str, Any]:
    """The parameters of the pagination component for one page of a list."""
    shown = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    found: dict[str, Any] = {
        "items": [
            {"number": place, "href": with_query(request, page=place), "current": place == page.number}
            if isinstance(place, int)
            else {"ellipsis": True}
            for place in shown
        ]
    }
    if page.has_previous():
        found["previous"] = {"href": with_query(request, page=page.previous_page_number())}
    if page.has_next():
        found["next"] = {"href": with_query(request, page=page.next_page_number())}
    return found


def local_day(value: date) -> date:
    """The day in England of a date, or of a moment that knows its zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("A moment on a page must know its time zone.")
        return day_of(value)
    return value


def long_date(value: date | None) -> str:
    """23 November 2026"""
    if not value:
        return ""
    day = local_day(value)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(value: date | None) -> str:
    """23 Nov 2026"""
    if not value:
        return ""
    day = local_day(value)
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def time_of_day(value: datetime | None) -> str:
    """9:05am, in England"""
    if not value:
        return ""
    local_day(value)
    local = value.astimezone(LONDON)
    return f"{local.hour % 12 or 12}:{local.minute:02}{'am' if local.hour < 12 else 'pm'}"


def moment(value: datetime | None) -> str:
    """23 November 2026 at 9:05am"""
    return f"{long_date(value)} at {time_of_day(value)}" if value else ""


def number(value: float | None) -> str:
    """1,234"""
    return "" if value is None else f"{value:,}"


def plural(count: int, one: str, many: str) -> str:
    """1 school, 1,234 schools"""
    return f"{number(count)} {one if count == 1 else many}"


def ended(words: str) -> str:
    """What somebody typed, as a sentence that another may follow."""
    return words if words[-1:] in ".!?" else f"{words}."


def any_of(names: Iterable[Any]) -> str:
    """Ann, Bo or Cy"""
    *most, last = [str(name) for name in names] or [""]
    return f"{', '.join(most)} or {last}" if most else last


def by_day(entries: Iterable[Any]) -> list[tuple[date, list[Any]]]:
    """Entries with an `at`, in days: newest day first, newest entry first."""

    def at(entry: Any) -> datetime:
        found: datetime = entry["at"] if isinstance(entry, Mapping) else entry.at
        return found

    newest_first = sorted(entries, key=at, reverse=True)
    return [(day, list(found)) for day, found in groupby(newest_first, key=lambda entry: local_day(at(entry)))]


class OurEnvironment(Environment):
    """Whose globals are settled before its first template is loaded."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What a template may call, in one plain dict: Jinja's own chain of two is looked through in Python, at each
        import and include of a page.
        """
        return {**self.globals, **(d or {})}


def environment(**options: Any) -> Environment:
    """Django's Jinja environment, with the design system's macros and our filters.

    The macros pass on parameters that a caller left out, so undefined values chain quietly here;
    `tests/core/test_look.py` checks our own templates' names instead.
    """
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    loader = ChoiceLoader([options.pop("loader"), macros])
    options.pop("autoescape", None)
    options |= {"loader": loader, "undefined": ChainableUndefined}
    found = OurEnvironment(**options, autoescape=True)
    found.globals.update(
        url=url,
        static=static,
        with_query=with_query,
        page_links=page_links,
        get_messages=get_messages,
        problems=problems,
        bar=charts.bar,
        footer_links=FOOTER,
    )
    found.filters.update(
        date=long_date,
        short_date=short_date,
        time=time_of_day,
        moment=moment,
        number=number,
        plural=plural,
        ended=ended,
        any_of=any_of,
        by_day=by_day,
        reference=reference,
        json_script=json_script,
    )
    return found
