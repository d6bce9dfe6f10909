"""What is asked about guest pages, of the home side and of the guest. Shape only: nothing here saves."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from handrail.core.forms.choices import Radios
from handrail.handovers import pack
from handrail.handovers.forms import ON_A_ROLL, PackForm
from handrail.handovers.models import Handover
from handrail.handovers.move_forms import WHO_IS_NEXT, Telling, choice, day, line, number, text
from handrail.plans.emergency import AT_MOST, LINE, Emergency
from handrail.plans.forms import LinesField
from handrail.schools.forms import LivesInField


class GuestForm(forms.Form):
    name = forms.CharField(
        label="Whom is it for?",
        max_length=150,
        help_text="One named person there.",
        error_messages={"required": "Enter the name of the person"},
    )
    email = forms.EmailField(
        label="Their e-mail address at work", error_messages={"required": "Enter their e-mail address"}
    )
    is_checked = forms.BooleanField(
        label="I have rung them on a number that we knew, and checked the person and the address",
        error_messages={"required": "Ring them first, and check the person and the address"},
    )


class AnswerForm(Telling):
    """The setting's answer to a pack, on one page."""

    NEEDS: ClassVar[dict[str, list[str]]] = {
        "accept": ["starts_on", "hours", "why_hours", "base", "roll"],
        "ask_for_more": ["reason"],
        "decline": ["reason", "alternative", "next"],
    }

    answer = forms.ChoiceField(
        label="What is your answer?",
        choices=[
            ("accept", "We take the child"),
            ("ask_for_more", "We need to know more"),
            ("decline", "We cannot take the child"),
        ],
        widget=Radios,
        error_messages={"required": "Select your answer"},
    )

    def __init__(self, *args: Any, roll: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.roll = roll
        asked = {
            "starts_on": day("First day, if you take the child"),
            "hours": number("How many hours a week, if you take the child?", required=""),
            "why_hours": line("If there are no hours: why?"),
            "base": line("Where will you teach the child?"),
            "roll": choice("Whose roll is the child on while there?", self._rolls(), required=""),
            "reason": text("What else do you need, or why can you not take the child?", rows=3),
            "alternative": text("If you cannot: what could be done instead?", rows=2),
            "next": choice("If you cannot: who acts next?", WHO_IS_NEXT, required=""),
        }
        self.fields |= {name: make() for name, make in asked.items()}
        self.initial.setdefault("roll", roll)

    def _rolls(self) -> list[tuple[str, str]]:
        return ON_A_ROLL if self.roll != Handover.Roll.SOLE else [(self.roll, Handover.Roll.SOLE.label)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if answer := cleaned.get("answer"):
            self.miss(answer, self.NEEDS[answer])
        return cleaned

    @property
    def said(self) -> dict[str, str]:
        answer = self.cleaned_data["answer"]
        said, _ = self.told(answer, self.NEEDS[answer])
        return {name: words for name, words in said.items() if words}


class HomeForm(PackForm):
    """What a home school says of a child who was admitted: all of the pack. Nothing is required here: what is missing
    of the smallest safe set is said when it is sent, and what is typed can be kept until then.
    """

    ring = forms.CharField(label="Whom can they ring at your school?", max_length=150, required=False)
    telephone = forms.CharField(
        label="Telephone number", max_length=30, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )
    lives_in = LivesInField(required=False)
    roll = forms.ChoiceField(
        label="Whose roll is the child on while there?",
        choices=ON_A_ROLL,
        widget=Radios,
        required=False,
        help_text="A handover never takes a child off your roll.",
    )
    year_group = forms.CharField(label="Year group", max_length=20, required=False)
    contact_name = forms.CharField(
        label="A parent or carer who has parental responsibility", max_length=150, required=False
    )
    contact_relation = forms.CharField(label="Relation to the child", max_length=50, required=False)
    contact_phone = forms.CharField(
        label="Their phone number", max_length=30, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )
    condition = forms.CharField(label="What is the condition, in a few words?", max_length=LINE, required=False)
    signs = LinesField("signs", required=False)
    steps = LinesField("steps", rows=8, required=False)
    call_999 = LinesField("call_999", rows=3, required=False)
    never = LinesField("never", rows=3, required=False)

    FACTS = ("ring", "telephone", "lives_in", "roll", "year_group")
    PLACES: ClassVar[dict[str, str]] = {"contacts": "contact_name", "authority": "lives_in", "emergency": "condition"}
    """Where an item of the pack is asked for, if under another name."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and any(cleaned[name] for name in ("condition", "signs", "steps", "call_999", "never")):
            for name, words in (
                ("condition", "Enter the condition"),
                ("steps", "Enter what to do now"),
                ("call_999", "Enter when to call 999"),
            ):
                if not cleaned[name]:
                    self.add_error(name, words)
        return cleaned

    def miss(self, missing: Sequence[pack.Item]) -> None:
        """Say beside each question what cannot be left empty."""
        for item in missing:
            self.add_error(self.PLACES.get(item.name, item.name), f"Answer “{item.label}”")

    @property
    def answers(self) -> dict[str, Any]:
        """What was typed, by where it belongs, once it is valid."""
        given = self.cleaned_data
        parts = {name: given[name] for name in ("condition", *AT_MOST)}
        return {
            "facts": {name: given[name] for name in self.FACTS},
            "contact": {name: given[f"contact_{name}"] for name in ("name", "relation", "phone")},
            "says": Emergency(**parts) if given["condition"] else None,
            "said": {item.name: given[item.name] for item in pack.ASKED},
        }
