"""How any form is rendered: each field as the parameters of the component that draws it.

`{{ form }}` renders every field, `{{ form.name.as_field_group() }}` one of them and
`{{ form.name.as_heading() }}` one whose label is the page's heading.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import ChoiceWidget, Input
from django.http import QueryDict
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from handrail.core.forms.choices import reveals_of
from handrail.core.forms.dates import DateBoxes
from handrail.core.forms.wording import WORDING, in_sentence

# Attributes that Django or a library puts on a widget and that we refuse: the browser's own checks would hide our
# messages, a `maxlength` silently cuts what is pasted, placeholders vanish, and focus belongs to the error summary.
REFUSED_ATTRIBUTES = {
    "aria-describedby", "aria-invalid", "autofocus", "class", "cols", "id", "max", "maxlength", "min", "minlength",
    "placeholder", "required", "step",
}  # fmt: skip

# The first that fits; a widget the design system has no component for is drawn by Django.
COMPONENTS: tuple[tuple[type[forms.Widget], str], ...] = (
    (DateBoxes, "date"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.SelectMultiple, "widget"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file"),
    (forms.PasswordInput, "password"),
    (Input, "input"),
)
GOVUK = {
    "date": "date-input",
    "checkbox": "checkboxes",
    "file": "file-upload",
    "password": "password-input",
    "widget": "",
}
"""What the design system calls a component, where it is another name; empty when it has none."""


typed_before: ContextVar[QueryDict | None] = ContextVar("typed_before", default=None)
"""What the person had typed into this page before, to be put back into its forms that have not been sent."""


class BoundField(forms.BoundField):
    """A field of a form, as parameters of the component that draws it."""

    def value(self) -> Any:
        """What was sent, or what had been typed before, or what the form begins with."""
        typed = typed_before.get()
        widget = self.field.widget
        if typed is None or self.form.is_bound or isinstance(widget, forms.FileInput | forms.PasswordInput):
            return super().value()
        return widget.value_from_datadict(typed, {}, self.html_name)

    def as_heading(self) -> SafeString:
        """Render the field with its label as the page's h1: the only question on the page."""
        return self.render(context={"field": self, "heading": True})

    @property
    def component(self) -> str:
        """Which component draws this field; "widget" when the design system has none."""
        return next((name for kind, name in COMPONENTS if isinstance(self.field.widget, kind)), "widget")

    @property
    def govuk(self) -> str:
        """The folder of that component in the design system, after which its macro is called."""
        return GOVUK.get(self.component, self.component)

    @property
    def messages(self) -> list[str]:
        """What is wrong with the answer, in our wording where Django's own was left."""
        found = self.errors.as_data()
        return [message for error in found for message in self._worded(error)]

    def _worded(self, error: ValidationError) -> list[str]:
        """Django's own message in our words; a message that somebody wrote on purpose stays, without its full stop."""
        wording = next((ours for djangos, ours in WORDING if error.message is djangos), "")
        if not wording:
            return [re.sub(r"^([^.]*)\.$", r"\1", str(message)) for message in error]
        label = str(self.label).rstrip("?")
        verb = "Enter" if self.component in {"date", "input", "password", "textarea", "widget"} else "Select"
        return [wording.format(verb=verb, label=label, noun=in_sentence(label), **(error.params or {}))]

    @property
    def first_id(self) -> str:
        """The id of the input to go to: for a date, the first box that is wrong."""
        if self.component == "date":
            return f"{self.auto_id}_{next(iter(self._wrong_boxes), 'day')}"
        return self.auto_id

    @property
    def is_revealed(self) -> bool:
        """Is this field shown inside another field's choice, and so not again on its own?"""
        return any(self.name in reveals_of(field.widget).values() for field in self.form.fields.values())

    @property
    def _wrong_boxes(self) -> Sequence[str]:
        for error in self.errors.as_data():
            if error.params and "boxes" in error.params:
                boxes: Sequence[str] = error.params["boxes"]
                return boxes
        return ()

    def params(self, heading: bool = False) -> dict[str, Any]:
        """The parameters of this field's component."""
        widget = self.field.widget
        attrs = {**widget.attrs, **self.build_widget_attrs({}, widget)}
        grouped = self.component in {"radios", "checkboxes", "date"}
        size = "l" if heading else "s"
        name = {"text": str(self.label), "isPageHeading": heading}
        found: dict[str, Any] = {
            "id": self.auto_id,
            "idPrefix": self.auto_id,
            "name": self.html_name,
            "classes": attrs.get("class", ""),
            "attributes": {
                name: {"value": value, "optional": True}
                for name, value in attrs.items()
                if name not in REFUSED_ATTRIBUTES | {"autocomplete", "inputmode", "spellcheck", "rows", "disabled"}
            },
        }
        for name_of in ("autocomplete", "inputmode", "rows", "disabled"):
            if name_of in attrs:
                found[name_of] = attrs[name_of]
        if "spellcheck" in attrs:
            found["spellcheck"] = str(attrs["spellcheck"]).lower() == "true"
        if grouped:
            found["fieldset"] = {"legend": {**name, "classes": f"govuk-fieldset__legend--{size}"}}
        else:
            found["label"] = {**name, "classes": f"govuk-label--{size}"}
        if self.help_text:
            found["hint"] = {"html": conditional_escape(self.help_text)}
        if self.messages:
            found["errorMessage"] = {"html": format_html_join(mark_safe("<br>"), "{}", ([m] for m in self.messages))}
        return found | getattr(self, f"_{self.component}_params", dict)()

    def _input_params(self) -> dict[str, Any]:
        widget = self.field.widget
        found: dict[str, Any] = {"value": widget.format_value(self.value()), "type": widget.input_type}
        if isinstance(widget, forms.NumberInput):
            found |= {"type": "text", "inputmode": widget.attrs.get("inputmode", "numeric")}
        if isinstance(widget, forms.EmailInput | forms.URLInput):
            found |= {"spellcheck": False}
        return found

    def _textarea_params(self) -> dict[str, Any]:
        return {"value": self.field.widget.format_value(self.value()) or ""}

    def _file_params(self) -> dict[str, Any]:
        return {"multiple": getattr(self.field.widget, "allow_multiple_selected", False)}

    def _select_params(self) -> dict[str, Any]:
        return {
            "items": [
                {"value": item["value"], "text": item["label"], "selected": item["selected"]}
                for item in self._options()
            ]
        }

    def _radios_params(self) -> dict[str, Any]:
        widget = self.field.widget
        hints: Mapping[str, str] = getattr(widget, "hints", {})
        reveals = reveals_of(widget)
        items = []
        for item in self._options():
            value = str(item["value"])
            found = {"value": value, "text": item["label"], "checked": item["selected"]}
            if value in hints:
                found["hint"] = {"text": hints[value]}
            if value in reveals:
                found["conditional"] = {"html": self.form[reveals[value]].as_field_group()}
            items.append(found)
        inline = " govuk-radios--inline" if getattr(widget, "inline", False) else ""
        return {"items": items, "classes": f"{widget.attrs.get('class', '')}{inline}"}

    _checkboxes_params = _radios_params

    def _checkbox_params(self) -> dict[str, Any]:
        """One box: its label stands beside it and the hint below."""
        item: dict[str, Any] = {
            "id": self.auto_id,
            "value": "on",
            "text": str(self.label),
            "checked": bool(self.value()),
        }
        if self.help_text:
            item["hint"] = {"html": conditional_escape(self.help_text)}
        return {"items": [item], "hint": None}

    def _date_params(self) -> dict[str, Any]:
        widget = cast(DateBoxes, self.field.widget)
        value = self.value()
        typed = value if isinstance(value, list) else widget.decompress(value)
        sizes = {"day": 2, "month": 2, "year": 4}
        items = []
        for (box, size), text in zip(sizes.items(), typed, strict=True):
            wrong = " govuk-input--error" if box in self._wrong_boxes else ""
            item = {
                "id": f"{self.auto_id}_{box}",
                "name": f"{self.html_name}_{box}",
                "label": box.capitalize(),
                "value": text or "",
                "classes": f"govuk-input--width-{size}{wrong}",
            }
            if widget.attrs.get("autocomplete") == "bday":
                item["autocomplete"] = f"bday-{box}"
            if box == "month":
                # A month may be typed as a name, which a number pad cannot do.
                item["inputmode"] = "text"
            items.append(item)
        return {"items": items, "attributes": {}, "classes": ""}

    def _options(self) -> Iterable[dict[str, Any]]:
        """The choices of a select, of radios or of checkboxes, each with whether it is chosen."""
        widget = cast(ChoiceWidget, self.field.widget)
        chosen = widget.format_value(self.value())
        for _, options, _ in widget.optgroups(self.html_name, chosen):
            yield from options


class Renderer(TemplatesSetting):
    """Renders every form, ours and the libraries', through the design system."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = BoundField


def problems(*found: Any) -> list[dict[str, str]]:
    """The lines of an error summary: those of every form (or list of forms) given, each linked to its input."""
    lines: list[dict[str, str]] = []
    for form in found:
        if not form:
            continue
        if not isinstance(form, forms.BaseForm):
            lines += problems(*form)
            continue
        if not form.is_bound:
            continue
        lines += [{"text": str(message)} for message in form.non_field_errors()]
        for field in cast(Iterable[BoundField], form):
            href = {} if field.is_hidden else {"href": f"#{field.first_id}"}
            lines += [{"text": message, **href} for message in field.messages]
    return lines
