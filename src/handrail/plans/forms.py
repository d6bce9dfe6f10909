"""The questions about plans. Shape only: nothing here saves."""

import re
from typing import Any

from django import forms

from handrail.core.forms.choices import Radios
from handrail.core.forms.dates import DateField
from handrail.core.jinja import plural
from handrail.plans.emergency import AT_MOST, CONTACTS, LINE, MEDICINES, PARTS, Contact, Emergency, Medicine
from handrail.plans.models import BreakGlass
from handrail.schools import upn

NUMBERED = re.compile(r"^(\d{1,2}[.)]|[-•*])\s+")


class LinesField(forms.CharField):
    """A few short lines, typed one below the other. Numbers and bullets before them are taken away."""

    def __init__(self, part: str, *, rows: int = 4, **more: Any) -> None:
        self.part = part
        more.setdefault("help_text", f"One on each line. At most {AT_MOST[part]}.")
        super().__init__(label=PARTS[part], widget=forms.Textarea({"rows": rows}), **more)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        lines = tuple(NUMBERED.sub("", line.strip()) for line in text.splitlines() if line.strip())
        if len(lines) > AT_MOST[self.part]:
            raise forms.ValidationError(
                f"{self.label} must be {AT_MOST[self.part]} lines or fewer. You wrote {len(lines)}"
            )
        for number, line in enumerate(lines, 1):
            if len(line) > LINE:
                raise forms.ValidationError(
                    f"Line {number} of “{self.label}” must be {LINE} characters or fewer. "
                    f"It has {plural(len(line), 'character', 'characters')}"
                )
        return lines


class EmergencyForm(forms.Form):
    condition = forms.CharField(
        label=PARTS["condition"],
        max_length=LINE,
        help_text="For example, epilepsy with convulsive seizures.",
        error_messages={"required": "Enter the condition"},
    )
    signs = LinesField("signs", required=False)
    steps = LinesField(
        "steps",
        rows=8,
        help_text=f"One step on each line, in order. At most {AT_MOST['steps']} steps of {LINE} characters.",
        error_messages={"required": "Enter what to do now"},
    )
    call_999 = LinesField("call_999", rows=3, error_messages={"required": "Enter when to call 999"})
    never = LinesField("never", rows=3, required=False)
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for number in range(1, MEDICINES + 1):
            self._text(f"medicine_{number}_name", "Medicine and form", "For example, adrenaline auto-injector.")
            self._text(f"medicine_{number}_dose", "Dose", "")
            self._text(f"medicine_{number}_place", "Where it is kept", "")
            self.fields[f"medicine_{number}_expires_on"] = DateField(
                label="Expiry date", noun="expiry date", required=False, help_text="For example, 31 3 2027"
            )
        for number in range(1, CONTACTS + 1):
            self._text(f"contact_{number}_name", "Name", "")
            self._text(f"contact_{number}_relation", "Who they are", "For example, mother or school nurse.")
            self._text(f"contact_{number}_phone", "Phone number", "", inputmode="tel")
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def _text(self, name: str, label: str, hint: str, **attrs: str) -> None:
        self.fields[name] = forms.CharField(
            label=label, max_length=LINE, required=False, help_text=hint, widget=forms.TextInput(attrs)
        )

    def clean(self) -> dict[str, Any]:
        """Whoever gives a part of a medicine or a contact gives its name."""
        cleaned = super().clean() or {}
        for group, count, others in (
            ("medicine", MEDICINES, ("dose", "place", "expires_on")),
            ("contact", CONTACTS, ("relation", "phone")),
        ):
            for number in range(1, count + 1):
                start = f"{group}_{number}"
                if any(cleaned.get(f"{start}_{each}") for each in others) and not cleaned.get(f"{start}_name"):
                    what = "medicine" if group == "medicine" else "person"
                    self.add_error(f"{start}_name", f"Enter the name of the {what}")
        return cleaned

    @property
    def says(self) -> Emergency:
        """What was typed, once it is valid."""
        given = self.cleaned_data
        medicines = (
            Medicine(*(given[f"medicine_{number}_{each}"] for each in ("name", "dose", "place", "expires_on")))
            for number in range(1, MEDICINES + 1)
        )
        contacts = (
            Contact(*(given[f"contact_{number}_{each}"] for each in ("name", "relation", "phone")))
            for number in range(1, CONTACTS + 1)
        )
        return Emergency(
            condition=given["condition"],
            medicines=tuple(each for each in medicines if each.name),
            contacts=tuple(each for each in contacts if each.name),
            **{part: given[part] for part in AT_MOST},
        )

    def groups(self, group: str) -> list[list[Any]]:
        """The fields of each medicine or contact."""
        count = MEDICINES if group == "medicine" else CONTACTS
        return [
            [self[name] for name in self.fields if name.startswith(f"{group}_{number}_")]
            for number in range(1, count + 1)
        ]


def typed(says: Emergency | None, number: int) -> dict[str, Any]:
    """What the form begins with: the words of a version, by its number."""
    found: dict[str, Any] = {"based_on": number}
    if says is None:
        return found
    found["condition"] = says.condition
    found |= {part: "\n".join(getattr(says, part)) for part in AT_MOST}
    for group, rows in (("medicine", says.medicines), ("contact", says.contacts)):
        for place, row in enumerate(rows, 1):
            found |= {f"{group}_{place}_{name}": value for name, value in vars(row).items()}
    return found


WORDS_OF_A_REASON = 4


class BreakGlassForm(forms.Form):
    name = forms.CharField(
        label="Child’s full name", max_length=150, required=False, help_text="Exactly as the school has it."
    )
    born_on = DateField(label="Date of birth", required=False, help_text="For example, 27 3 2016")
    upn = forms.CharField(
        label="Or unique pupil number (UPN)", max_length=50, required=False, help_text="A letter and 12 numbers."
    )
    reason = forms.CharField(
        label="Why do you need it now?",
        max_length=1000,
        widget=forms.Textarea({"rows": 4}),
        help_text="Write at least a sentence. The data protection lead reads it.",
        error_messages={"required": "Enter why you need it now"},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean_upn(self) -> str:
        try:
            return upn.read(self.cleaned_data["upn"]).text if self.cleaned_data["upn"] else ""
        except upn.NotAUpn as error:
            raise forms.ValidationError(str(error)) from None

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if len(reason.split()) < WORDS_OF_A_REASON:
            raise forms.ValidationError("Say in at least a sentence why you need it now")
        return reason

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = cleaned.get("upn") or (cleaned.get("name") and cleaned.get("born_on"))
        if not given and not {"name", "born_on", "upn"} & set(self.errors):
            self.add_error("name", "Enter the child’s full name and date of birth, or the UPN")
        return cleaned


class ReviewForm(forms.Form):
    outcome = forms.ChoiceField(
        label="Was it justified?",
        choices=BreakGlass.Outcome.choices,
        widget=Radios,
        error_messages={"required": "Select whether it was justified"},
    )
    note = forms.CharField(
        label="What did you find?",
        max_length=1000,
        widget=forms.Textarea({"rows": 4}),
        help_text="Whom you asked, and what happens next.",
        error_messages={"required": "Enter what you found"},
    )
