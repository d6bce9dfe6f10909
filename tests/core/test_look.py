"""The look: templates that compile, forms in the GOV.UK way, charts, and every component seen by a real browser."""

import os
import re
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.paginator import Paginator
from django.http import QueryDict
from django.template import engines
from jinja2 import meta, nodes

import handrail.core
from handrail.core import charts, jinja
from handrail.core.forms.choices import Checkboxes, Radios
from handrail.core.forms.dates import DateField
from handrail.core.forms.files import FileField
from handrail.core.forms.rendering import problems

PACKAGE = Path(handrail.core.__path__[0]).parent
STATIC = PACKAGE / "core" / "static"
TODAY = date(2026, 11, 23)


# -- templates -------------------------------------------------------------------------------------------


def environment() -> Any:
    return engines["jinja2"].env


def our_templates() -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for folder in PACKAGE.glob("*/jinja2") for path in folder.rglob("*.html")
    )


@pytest.mark.parametrize("name", our_templates())
def test_template_compiles_and_imports_only_macros_that_exist(name: str) -> None:
    env = environment()
    source, _, _ = env.loader.get_source(env, name)
    env.get_template(name)
    for imported in env.parse(source).find_all(nodes.FromImport):
        found = env.get_template(imported.template.value).module
        for macro in imported.names:
            assert hasattr(found, macro if isinstance(macro, str) else macro[0]), f"{name}: no macro {macro}"


@pytest.mark.parametrize("name", [name for name in our_templates() if name.startswith("components/")])
def test_component_uses_only_its_arguments_and_globals(name: str) -> None:
    env = environment()
    source, _, _ = env.loader.get_source(env, name)
    assert meta.find_undeclared_variables(env.parse(source)) <= {"caller", *env.globals}


def test_nothing_of_the_state_is_served_or_shown() -> None:
    """No typeface, emblem, logotype or blue that belongs to GOV.UK; the licence's own words are the exception."""
    served = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".js", ".svg"}]
    assert served
    for path in [*served, *PACKAGE.rglob("jinja2/**/*.html")]:
        found = re.findall(r"GDS Transport|crown|crest|logotype|govuk-header|#1d70b8|Frutiger", path.read_text(), re.I)
        assert not found, f"{path.name}: {found}"
    assert not [path.name for path in STATIC.rglob("*") if path.suffix in {".woff", ".woff2", ".png", ".ico"}]


def test_templates_carry_no_inline_style_or_script() -> None:
    for path in PACKAGE.rglob("jinja2/**/*.html"):
        source = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son(click|load|change|submit)=|<script(?![^>]*\ssrc=)", source), (
            path.name
        )


class Untouchable:
    """Stands for anything that might ask the database."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"an error page asked for .{name}")

    def __bool__(self) -> bool:
        raise AssertionError("an error page asked whether it is there")


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_an_error_page_asks_nothing(name: str) -> None:
    names = ("user", "authority", "navigation", "request", "demo", "today")
    html = environment().get_template(name).render({each: Untouchable() for each in names})
    assert "Not a GOV.UK service" in html


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_brand_colour_carries_white_text() -> None:
    found = re.search(r"--handrail-brand: ?(#[0-9a-f]{6})", (STATIC / "handrail" / "handrail.css").read_text())
    assert found
    assert contrast(found[1], "#ffffff") >= 4.5


# -- filters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ day|date }}", "23 November 2026"),
        ("{{ day|short_date }}", "23 Nov 2026"),
        ("{{ at|date }}", "1 July 2026"),
        ("{{ at|moment }}", "1 July 2026 at 12:05am"),
        ("{{ none|moment }}{{ none|date }}{{ nothing|short_date }}", ""),
        ("{{ 1234|number }}", "1,234"),
        ("{{ 1|plural('school', 'schools') }}", "1 school"),
        ("{{ 1234|plural('school', 'schools') }}", "1,234 schools"),
        ("{{ 0|plural('school', 'schools') }}", "0 schools"),
        ("{{ ['Ann', 'Bo', 'Cy']|any_of }}", "Ann, Bo or Cy"),
        ("{{ ['Ann']|any_of }}", "Ann"),
    ],
)
def test_filter(template: str, expected: str) -> None:
    at = datetime(2026, 6, 30, 23, 5, tzinfo=UTC)
    assert environment().from_string(template).render(day=TODAY, at=at) == expected


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        jinja.moment(datetime(2026, 11, 23, 9, 5))


def test_a_changed_query_string_keeps_the_rest() -> None:
    request: Any = SimpleNamespace(GET=QueryDict("q=oak&kind=a&kind=b&page=2"))
    assert jinja.with_query(request, page=3) == "?q=oak&kind=a&kind=b&page=3"
    assert jinja.with_query(request, page=None, kind=None) == "?q=oak"


def test_activity_is_in_days_of_england_newest_first() -> None:
    late = {"at": datetime(2026, 6, 30, 23, 30, tzinfo=UTC)}
    early = {"at": datetime(2026, 6, 30, 22, 30, tzinfo=UTC)}
    assert jinja.by_day([early, late]) == [(date(2026, 7, 1), [late]), (date(2026, 6, 30), [early])]


# -- forms -----------------------------------------------------------------------------------------------


class Review(forms.Form):
    reviewed_on = DateField(label="When was the policy reviewed?", noun="date of review", when="past")

    def __init__(self, *args: Any, today: date = TODAY, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reviewed_on"]
        assert isinstance(field, DateField)
        field.today = today


def review(day: str, month: str, year: str) -> Review:
    return Review({"reviewed_on_day": day, "reviewed_on_month": month, "reviewed_on_year": year})


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("23", "11", "2026"), TODAY),
        ((" 5 ", "nov", "2026"), date(2026, 11, 5)),
        (("05", "November", "2026"), date(2026, 11, 5)),
        (("5", "Sept.", "2026"), date(2026, 9, 5)),
        (("\uff15", "\uff11\uff11", "2026"), date(2026, 11, 5)),
        (("29", "2", "2024"), date(2024, 2, 29)),
    ],
)
def test_a_date_is_understood(typed: tuple[str, str, str], expected: date) -> None:
    form = review(*typed)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["reviewed_on"] == expected


@pytest.mark.parametrize(
    ("typed", "message", "box"),
    [
        (("", "", ""), "Enter the date of review", "day"),
        (("23", "", "2026"), "Date of review must include a month", "month"),
        (("", "", "2026"), "Date of review must include a day and month", "day"),
        (("23", "11", ""), "Date of review must include a year", "year"),
        (("31", "2", "2026"), "Date of review must be a real date", "day"),
        (("32", "2", "2026"), "Date of review must be a real date", "day"),
        (("3", "13", "2026"), "Date of review must be a real date", "month"),
        (("3", "smarch", "2026"), "Date of review must be a real date", "month"),
        (("3", "ma", "2026"), "Date of review must be a real date", "month"),
        (("3", "11", "26"), "Date of review must include a year with 4 numbers", "year"),
        (("3", "11", "20266"), "Date of review must be a real date", "year"),
        (("\u0663", "11", "2026"), "Date of review must be a real date", "day"),
        (("\u00b2x", "11", "2026"), "Date of review must be a real date", "day"),
        (("-3", "11", "2026"), "Date of review must be a real date", "day"),
        (("0", "11", "2026"), "Date of review must be a real date", "day"),
        (("3", "11", "0000"), "Date of review must be a real date", "year"),
        (("24", "11", "2026"), "Date of review must be today or in the past", "day"),
        (("3", "11", "1026"), "Date of review must be on or after 1 January 1900", "day"),
    ],
)
def test_a_date_is_refused_in_words_and_kept(typed: tuple[str, str, str], message: str, box: str) -> None:
    form = review(*typed)
    assert problems(form) == [{"text": message, "href": f"#id_reviewed_on_{box}"}]
    html = str(form)
    for text in typed:
        assert not text or f'value="{text}"' in html
    assert message in html


def test_a_date_in_the_past_needs_to_be_told_the_day() -> None:
    form = review("3", "11", "2026")
    form.fields["reviewed_on"].today = None  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="today"):
        form.is_valid()


def test_a_date_shows_its_first_value() -> None:
    html = str(Review(initial={"reviewed_on": date(2025, 9, 1)}))
    assert re.findall(r'name="(\w+)"[^>]*value="(\w+)"', html) == [
        ("reviewed_on_day", "1"),
        ("reviewed_on_month", "9"),
        ("reviewed_on_year", "2025"),
    ]


class Upload(forms.Form):
    document = FileField(label="Upload the policy")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("policy.pdf", b"", "The selected file is empty"),
        ("policy.exe", b"MZ", "The selected file must be a PDF, DOCX or ODT"),
        ("policy", b"x", "The selected file must be a PDF, DOCX or ODT"),
        ("policy.odt", b"x" * (10 * 1024 * 1024 + 1), "The selected file must be smaller than 10MB"),
    ],
)
def test_a_file_is_refused_in_words(name: str, content: bytes, message: str) -> None:
    form = Upload({}, {"document": SimpleUploadedFile(name, content)})
    assert problems(form) == [{"text": message, "href": "#id_document"}]


def test_a_file_is_taken_and_a_missing_one_named() -> None:
    assert Upload({}, {"document": SimpleUploadedFile("Policy.PDF", b"%PDF")}).is_valid()
    assert problems(Upload({}, {})) == [{"text": "Select a file", "href": "#id_document"}]


class Plain(forms.Form):
    """Fields that say nothing about their errors."""

    lead = forms.CharField(label="Lead's name", max_length=5)
    urn = forms.IntegerField(label="URN", min_value=100_000)
    email = forms.EmailField(label="E-mail address")
    site = forms.URLField(label="Where is it?", assume_scheme="https")
    phase = forms.ChoiceField(label="Phase", choices=[("p", "Primary")])
    other = forms.CharField(error_messages={"required": "Say why."})


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("lead", "", "Enter lead's name"),
        ("lead", "Joanna", "Lead's name must be 5 characters or fewer"),
        ("urn", "", "Enter URN"),
        ("urn", "many", "URN must be a whole number"),
        ("urn", "1", "URN must be 100000 or more"),
        ("email", "jo", "Enter an e-mail address in the correct format, like name@example.com"),
        ("site", "a b", "Enter a web address in the correct format, like https://www.example.com"),
        ("site", "", "Enter where is it"),
        ("phase", "", "Select phase"),
        ("phase", "x", "Select phase from the list"),
        ("other", "", "Say why"),
    ],
)
def test_a_library_form_speaks_in_our_words(name: str, typed: str, message: str) -> None:
    assert {"text": message, "href": f"#id_{name}"} in problems(Plain({name: typed}))


class Everything(forms.Form):
    """One field of every kind, for the browser to look at."""

    name = forms.CharField(label="Lead's name", help_text="The person parents can ask.", max_length=50)
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    pupils = forms.IntegerField(
        label="Number of pupils", min_value=0, widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"})
    )
    code = forms.CharField(
        label="6-digit code",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "placeholder": "Code"}),
    )
    password = forms.CharField(
        label="Password", widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "current-password"})
    )
    changes = forms.CharField(label="What changed?", widget=forms.Textarea(attrs={"rows": 3}))
    phase = forms.ChoiceField(label="Phase", choices=[("", "Choose"), ("p", "Primary"), ("s", "Secondary")])
    outcome = forms.ChoiceField(
        label="What happened?",
        choices=[("same", "Reviewed, no change"), ("new", "Updated"), ("draft", "Still in progress")],
        widget=Radios(hints={"draft": "You can come back and finish."}, reveals={"new": "version"}),
    )
    version = forms.CharField(label="Version number", required=False)
    right = forms.ChoiceField(
        label="Is this plan still right?", choices=[("y", "Yes"), ("n", "No")], widget=Radios(inline=True)
    )
    involved = forms.MultipleChoiceField(
        label="Who was involved?",
        choices=[("staff", "Staff"), ("parents", "Parents and carers"), ("nurse", "School nurse")],
        widget=Checkboxes(hints={"nurse": "Or another health professional."}),
    )
    agreed = forms.BooleanField(label="The governing body has approved it")
    reviewed_on = DateField(label="Date of review", help_text="For example, 27 3 2026.")
    document = FileField(label="Upload the policy", help_text="PDF, DOCX or ODT, up to 10MB.")
    secret = forms.CharField(widget=forms.HiddenInput, initial="kept")


def filled(**changes: str) -> Everything:
    data: dict[str, Any] = {
        "name": "<b>Jo</b>", "email": "jo", "pupils": "many", "code": "12", "password": "hunter2", "phase": "x",
        "outcome": "new", "version": "2.1", "involved": ["staff"], "reviewed_on_day": "31", "secret": "kept",
    }  # fmt: skip
    return Everything({**data, **changes}, {})


def test_what_was_typed_is_kept_but_never_a_password() -> None:
    html = str(filled())
    assert "hunter2" not in html
    for kept in ("&lt;b&gt;Jo&lt;/b&gt;", 'value="jo"', 'value="many"', 'value="12"', 'value="2.1"', 'value="31"'):
        assert kept in html
    assert re.search(r'value="new"\s*checked', html)
    assert re.search(r'value="staff"\s*checked', html)
    assert html.count('name="version"') == 1


def test_widget_attributes_pass_and_the_browsers_own_checks_do_not() -> None:
    html = str(Everything())
    assert 'autocomplete="one-time-code"' in html
    assert 'inputmode="numeric"' in html
    assert 'autocomplete="current-password"' in html
    assert not re.search(r"maxlength|placeholder|required|autofocus|\smin=", html)
    assert '<input type="hidden" name="secret" value="kept"' in html


def test_a_single_question_can_be_the_heading() -> None:
    form = Everything()
    assert re.search(r'<h1 class="govuk-fieldset__heading">\s*What happened\?', form["outcome"].as_heading())  # type: ignore[attr-defined]
    assert re.search(r'<h1 class="govuk-label-wrapper">\s*<label[^>]*>\s*Lead', form["name"].as_heading())  # type: ignore[attr-defined]


def test_the_summary_names_every_problem_and_links_to_an_input_that_exists() -> None:
    form = filled()
    form.is_valid()
    form.add_error(None, "Something else is wrong")
    lines = problems(None, form, [])
    assert lines[0] == {"text": "Something else is wrong"}
    assert {"text": "Select is this plan still right", "href": "#id_right"} in lines
    assert {"text": "Enter what changed", "href": "#id_changes"} in lines
    html = str(form)
    for line in lines[1:]:
        assert f'id="{line["href"][1:]}"' in html, line
    assert problems(Everything()) == []


# -- charts ----------------------------------------------------------------------------------------------


def test_a_bar_is_as_long_as_its_share() -> None:
    assert 'width="25.0%"' in charts.bar(5, 20)
    assert 'width="0.0%"' in charts.bar(0, 20)
    assert 'width="1.0%"' in charts.bar(1, 20_000)
    assert 'width="100.0%"' in charts.bar(30, 20)
    assert 'width="0.0%"' in charts.bar(0, 0)
    assert 'aria-hidden="true"' in charts.bar(1, 2)


def test_a_line_is_drawn_wide_and_narrow_with_its_words_escaped() -> None:
    html = charts.line(["<May>", "June"], {"Overdue": [3, 1], "Due & soon": [0, 4]}, description='Fewer "overdue"')
    assert html.count("<svg") == html.count('role="img"') == 2
    assert "<May>" not in html
    assert "Due &amp; soon" in html
    assert "style" not in html
    assert charts.line([], {"None": []}, description="Nothing") != ""


@pytest.mark.browser
@pytest.mark.parametrize("pixels", [320, 1280])
@pytest.mark.parametrize("months", [2, 3, 4, 6, 7, 8, 24])
def test_the_months_under_a_line_never_touch(browser: Any, months: int, pixels: int) -> None:
    labels = [date(2025 + month // 12, month % 12 + 1, 1).strftime("%b %Y") for month in range(months)]
    values = [10.0] * months
    chart = charts.line(labels, {"Adequate": values, "And published": values}, description="Months")
    page = opened(browser, gallery(Everything(), chart=chart), width=pixels)
    if shots := os.environ.get("SCREENSHOTS"):
        page.locator(".app-chart:visible").screenshot(path=f"{shots}/months-{months}-{pixels}.png")
    texts = page.locator(".app-chart:visible text", has_text=re.compile("^[A-Z][a-z]{2} 20"))
    boxes = [each.bounding_box() for each in texts.all()]
    assert len(boxes) >= 2
    assert all(one["x"] + one["width"] < other["x"] for one, other in pairwise(boxes)), boxes
    page.context.close()


@pytest.mark.parametrize(
    ("highest", "last"), [(0, 1), (1, 1), (4, 4), (5, 5), (7, 8), (23, 25), (99, 100), (214, 250), (1000, 1000)]
)
def test_an_axis_ends_on_a_round_number_at_or_above_the_highest(highest: float, last: int) -> None:
    ticks = charts._ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] == last
    assert len(ticks) <= 6


# -- in a browser ----------------------------------------------------------------------------------------


class Person:
    is_authenticated = True

    def __str__(self) -> str:
        return "Jo Smith"


GALLERY = """
{% extends "layouts/base.html" %}
{% from "components/activity.html" import activity %}
{% from "components/back_link.html" import back_link %}
{% from "components/bar_table.html" import bar_table %}
{% from "components/button.html" import actions, button %}
{% from "components/empty_state.html" import empty_state %}
{% from "components/figure.html" import figure %}
{% from "components/filters.html" import filters %}
{% from "components/identity_bar.html" import identity_bar %}
{% from "components/number_tile.html" import number_tile, number_tiles %}
{% from "components/page_heading.html" import page_heading %}
{% from "components/pagination.html" import pagination %}
{% from "components/status_tag.html" import status_tag %}
{% from "components/sub_navigation.html" import sub_navigation %}
{% from "components/summary_rows.html" import summary_rows %}
{% block title %}Everything we show{% endblock %}
{% block before_content %}{{ back_link("/schools") }}{% endblock %}
{% block content %}
{% call identity_bar(school, ["URN 123456", "Primary", "Maintained", none]) %}
  {{ button("Record a review", "/review") }}
{% endcall %}
{{ sub_navigation([
  {"text": "Overview", "href": "/a"}, {"text": "Policies", "href": "/b", "current": true},
  {"text": "People", "href": "/c"}, {"text": "Activity", "href": "/d"}], "School record") }}
{% call page_heading("Policies", caption="St Wilfrid's", lead="Three policies are needed. One is overdue.") %}
  {{ button("Download as CSV", "/csv", kind="secondary") }}
{% endcall %}
{% call number_tiles() %}
  {{ number_tile(214, "policies overdue", "/overdue", "red") }}
  {{ number_tile(1031, "due in the next 30 days", "/soon", "yellow") }}
  {{ number_tile(12, "not recorded", "/not-recorded", note="No date on file") }}
  {{ number_tile(0, "schools never signed in", tone="green") }}
{% endcall %}
{% call filters(chosen=[{"text": "Overdue", "href": "?q=oak"}], clear_href="?") %}{{ search }}{% endcall %}
<table class="govuk-table app-table--stack">
  <caption class="govuk-table__caption govuk-table__caption--m">Most urgent</caption>
  <thead class="govuk-table__head">
    <tr class="govuk-table__row">
      <th class="govuk-table__header" scope="col">School</th>
      <th class="govuk-table__header" scope="col">Policy</th>
      <th class="govuk-table__header" scope="col">Due</th>
      <th class="govuk-table__header" scope="col">Status</th>
      <th class="govuk-table__header govuk-table__header--numeric" scope="col">Days late</th>
      <th class="govuk-table__header" scope="col">Action</th>
    </tr>
  </thead>
  <tbody class="govuk-table__body">
  {% for status in ["overdue", "Due soon", "In date", "Not recorded", "Not needed"] %}
    <tr class="govuk-table__row">
      <th class="govuk-table__header" scope="row"><a class="govuk-link" href="/school">Oakfield Primary School</a></th>
      <td class="govuk-table__cell" data-label="Policy">Medical conditions</td>
      <td class="govuk-table__cell" data-label="Due">{{ day|date }}</td>
      <td class="govuk-table__cell" data-label="Status">{{ status_tag(status) }}</td>
      <td class="govuk-table__cell govuk-table__cell--numeric" data-label="Days late">{{ 1203|number }}</td>
      <td class="govuk-table__cell" data-label="Action">
        <form method="post">{{ button("Remind", kind="secondary", small=true, about="Oakfield Primary School") }}</form>
      </td>
    </tr>
  {% endfor %}
  </tbody>
</table>
{{ pagination(page, request, "schools") }}
{{ bar_table(
  "Most overdue policies are less than a month late",
  [
    {"label": "Up to 30 days", "value": 120, "href": "/1"}, {"label": "31 to 90 days", "value": 71, "href": "/2"},
    {"label": "91 to 180 days", "value": 22}, {"label": "More than 180 days", "value": 1},
    {"label": "No date", "value": 0},
  ],
  subtitle="Number of policies by days overdue, 23 November 2026", label_heading="Days overdue", csv_href="/csv") }}
{% call figure("Fewer policies are overdue", "Policies overdue and due soon, by week", "/csv") %}
  {{ chart }}
{% endcall %}
{{ summary_rows([
  {"key": "What happened", "value": "Reviewed, no change", "href": "/c1"},
  {"key": "Date of review", "value": day|date, "href": "/c2"},
  {"key": "Where people can read it", "value": address, "href": "/c3"},
  {"key": "Next review", "value": "23 November 2027"}]) }}
{{ summary_rows([{"key": "Named lead", "value": "Jo Smith", "href": "/c4", "action": "Change"}], title="People") }}
{% call actions() %}
  {{ button("Save this review") }}
  {{ button("Save as draft", kind="secondary", name="draft", value="1") }}
  <a class="govuk-link" href="/">Cancel</a>
{% endcall %}
{{ activity(entries) }}
{{ activity([]) }}
{{ empty_state("No school matches", "Take a filter away or search for fewer letters.", "?", "Clear all filters") }}
<h2 class="govuk-heading-m">A form</h2>
<form method="post" novalidate>{{ csrf_input }}{{ form }}{{ button("Send") }}</form>
{% endblock %}
"""


class Search(forms.Form):
    q = forms.CharField(label="School name or URN", required=False)
    status = forms.ChoiceField(label="Status", choices=[("", "All"), ("overdue", "Overdue")], required=False)
    phase = forms.ChoiceField(label="Phase", choices=[("", "All"), ("p", "Primary")], required=False)


def gallery(form: Everything, **context: Any) -> str:
    weeks = [f"{week} Nov" for week in range(1, 14)]
    entries = [
        {"at": datetime(2026, 11, 23, 9, 5, tzinfo=UTC), "who": "Jo Smith", "text": "Recorded a review", "href": "/r"},
        {"at": datetime(2026, 11, 23, 8, 1, tzinfo=UTC), "who": "Handrail", "text": "Sent a reminder", "note": "To: J"},
        {"at": datetime(2026, 11, 20, 15, 0, tzinfo=UTC), "who": "Ali Khan", "text": "Added Jo Smith"},
    ]
    chart = charts.line(
        weeks,
        {"Overdue": [250 - 9 * n for n in range(13)], "Due soon": [100 + (n * 7) % 30 for n in range(13)]},
        description="Overdue policies fell from 250 to 142 in 13 weeks.",
    )
    page = Paginator(range(1031), 50).page(7)
    return environment().from_string(GALLERY).render(
        **{
            "authority": SimpleNamespace(name="Barsetshire County Council"),
            "user": Person(),
            "navigation": [
                {"text": "Home", "href": "/"},
                {"text": "Schools", "href": "/schools", "current": True},
                {"text": "Chase list", "href": "/chase"},
                {"text": "Settings", "href": "/settings"},
            ],
            "demo": True,
            "request": SimpleNamespace(GET=QueryDict("q=oak"), _messages=[]),
            "search": Search({"q": "oak"}),
            "form": form,
            "day": TODAY,
            "school": "St Wilfrid's Church of England Voluntary Aided Primary School",
            "address": "https://www.a-school-with-a-very-long-web-address.barsetshire.sch.uk/policies/medical.pdf",
            "entries": entries,
            "chart": chart,
            "page": page,
            **context,
        }
    )  # fmt: skip


POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'"


def opened(browser: Any, html: str, *, width: int, scripts: bool = True) -> Any:
    """A page in the browser, under the policy that production sends, with what the console said in `said`."""

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix("http://handrail.test")
        if path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
        else:
            route.fulfill(body=html, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts, bypass_csp=False
    )
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.route("**/*", answer)
    page.goto("http://handrail.test/")
    return page


SAID = [
    SimpleNamespace(level_tag="success", message="Review recorded. The next one is due on 23 November 2027."),
    SimpleNamespace(level_tag="info", message="Allergy safety: start date to be confirmed."),
]
STATES = {
    "empty": lambda: gallery(Everything()),
    "errors": lambda: gallery(filled()),
    "branded": lambda: gallery(Everything(), brand="#7a1f5c", demo=False),
    "said": lambda: gallery(Everything(), request=SimpleNamespace(GET=QueryDict(), _messages=SAID)),
    "nobody": lambda: gallery(Everything(), user=None, navigation=[], authority=None, demo=False),
    "not found": lambda: environment().get_template("404.html").render(),
    "problem": lambda: environment().get_template("500.html").render(),
    "stale form": lambda: environment().get_template("403.html").render(is_stale_form=True),
}


@pytest.mark.browser
@pytest.mark.parametrize("state", STATES)
def test_every_component_is_accessible_and_never_scrolls_sideways(browser: Any, state: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, STATES[state](), width=width)
    if shots := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{shots}/{state}-{width}.png", full_page=True)
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.title().startswith("Error: ") == (state == "errors")
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}})
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_a_choice_shows_its_question_with_and_without_scripts(browser: Any, scripts: bool) -> None:
    page = opened(browser, gallery(Everything()), width=320, scripts=scripts)
    assert not page.get_by_label("Version number").is_visible()
    page.get_by_label("Updated").check()
    assert page.get_by_label("Version number").is_visible()
    assert page.get_by_role("link", name="Chase list").is_visible() == (not scripts)
    page.context.close()


@pytest.mark.browser
def test_the_summary_takes_the_reader_to_the_box_that_is_wrong(browser: Any) -> None:
    page = opened(browser, gallery(filled()), width=1280)
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.get_by_role("link", name="Date of review must include a month and year").click()
    assert page.evaluate("document.activeElement.id") == "id_reviewed_on_month"
    page.context.close()
