"""The children of the demonstration and their emergency plans. Pure. Nobody here is real, and no plan is advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from handrail.plans.emergency import Contact, Emergency, Medicine
from handrail.schools.upn import check_letter

OUT_OF_DATE_DAYS = -6
"""One medicine of the demonstration has just gone out of date."""


@dataclass(frozen=True)
class DemoChild:
    name: str
    known_as: str
    born_years_ago: int
    year_group: str
    class_name: str
    serial: int
    emergency: Emergency | None
    agreed_days_ago: int | None = None
    """When everybody agreed to the plan; nothing while it is being written."""
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the sections of the plan say."""

    def born_on(self, on: date) -> date:
        return date(on.year - self.born_years_ago, 1 + self.serial % 12, 1 + self.serial % 28)

    def upn(self, authority_code: str, on: date) -> str:
        """A number that is well formed, under a code that no real authority has."""
        rest = f"{authority_code}2000{(on.year - 4) % 100:02}{self.serial:03}"
        return check_letter(f"?{rest}") + rest


def anaphylaxis(on: date) -> Emergency:
    return Emergency(
        condition="Severe allergy to nuts (anaphylaxis)",
        signs=("Swollen lips or tongue, hoarse voice, noisy breathing.", "Pale, floppy or suddenly sleepy."),
        steps=(
            "Lie the child flat with legs raised. Let them sit up if breathing is hard.",
            "Give the adrenaline pen into the outer thigh, through clothes. Hold for 10 seconds.",
            "Call 999 and say “anaphylaxis”. Note the time.",
            "Send somebody for the second pen. Do not leave the child.",
            "Give the second pen after 5 minutes if there is no change.",
        ),
        call_999=("You have given the pen, even if the child feels better.", "You are not sure."),
        medicines=(
            Medicine(
                "Adrenaline auto-injector, two pens", "0.15 mg each", "Classroom, red bag", on + timedelta(days=210)
            ),
            Medicine("Cetirizine syrup", "5 ml", "School office", on + timedelta(days=OUT_OF_DATE_DAYS)),
        ),
        never=("Make the child stand or walk.", "Wait to see whether it gets better."),
        contacts=(Contact("Priya Shah", "Mother", "01632 960101"), Contact("Ravi Shah", "Father", "01632 960102")),
    )


def epilepsy(on: date) -> Emergency:
    return Emergency(
        condition="Epilepsy with convulsive seizures",
        signs=("Stares and does not answer.", "Falls, stiffens, and both arms and legs jerk."),
        steps=(
            "Note the time. Stay with the child.",
            "Move away what could hurt. Put something soft under the head.",
            "After 5 minutes give the midazolam between gum and cheek.",
            "Roll the child onto their side when the jerking stops.",
        ),
        call_999=("The seizure lasts longer than 5 minutes.", "A second seizure begins.", "Breathing is not normal."),
        medicines=(Medicine("Midazolam, oromucosal", "5 mg", "School office, locked shelf", on + timedelta(days=95)),),
        never=("Hold the child down.", "Put anything else into the mouth."),
        contacts=(Contact("Grace Cole", "Mother", "01632 960103"),),
    )


def asthma(on: date) -> Emergency:
    return Emergency(
        condition="Asthma",
        signs=("Coughing, wheezing, short words only.", "Says that the chest hurts or is tight."),
        steps=(
            "Sit the child up and keep calm.",
            "Give one puff of the blue inhaler through the spacer every 30 seconds, up to 10 puffs.",
            "Call 999 if there is no change after 10 puffs, and give 10 more while you wait.",
        ),
        call_999=("The child is too breathless to speak.", "Lips turn blue.", "10 puffs have not helped."),
        medicines=(
            Medicine("Salbutamol inhaler and spacer", "1 puff at a time", "With the child", on + timedelta(days=300)),
        ),
        contacts=(Contact("Sam Hill", "Grandfather", "01632 960104"),),
    )


def diabetes(on: date) -> Emergency:
    return Emergency(
        condition="Type 1 diabetes",
        signs=("Pale, shaky, sweaty or cross for no reason.", "Glucose below 4."),
        steps=(
            "Give 3 glucose tablets, or the small carton of juice.",
            "Wait 15 minutes and measure again.",
            "Below 4 still: give the same again.",
            "Above 4: give a biscuit. Stay with them for half an hour.",
        ),
        call_999=("The child cannot swallow or does not wake.",),
        medicines=(Medicine("Glucose tablets", "3", "Child’s bag and school office", on + timedelta(days=400)),),
        never=("Give food or drink to a child who cannot swallow.",),
        contacts=(Contact("Kwame Owen", "Father", "01632 960105"),),
    )


ALLERGY = {
    "condition": {
        "kind": "allergy",
        "triggers": "All nuts, eaten or on somebody’s hands.",
        "symptoms": "An itchy mouth and a rash at first.",
        "treatment": "Two adrenaline pens and cetirizine. Seen at the allergy clinic each spring.",
        "allergy": "Eats what the kitchen has made without nuts, at her usual table. Hands are washed before lunch.",
    },
    "daily": {"needs": "The red bag goes wherever she goes.", "level": "given"},
    "people": {"supporters": "Ms Reed; Mr Obi covers.", "know": "Class, kitchen and midday staff."},
    "trips": {"trips": "Ms Reed carries the red bag. Food is brought from home."},
}


def children(on: date) -> tuple[tuple[DemoChild, ...], ...]:
    """Those of the primary school, the secondary school and the setting that people try the demonstration with."""
    return (
        (
            DemoChild("Anoushka Shah", "Noush", 7, "Year 2", "Wrens", 11, anaphylaxis(on), 200, ALLERGY),
            DemoChild("Benjamin Cole", "Ben", 9, "Year 4", "Kestrels", 12, epilepsy(on), 352),
            DemoChild("Matilda Hill", "", 6, "Year 1", "Robins", 13, asthma(on), 384),
            DemoChild("Theo Walsh", "", 10, "Year 5", "Owls", 14, None),
        ),
        (
            DemoChild("Esi Owen", "", 13, "Year 8", "8B", 21, diabetes(on), 340),
            DemoChild("Yusuf Iqbal", "", 14, "Year 9", "9A", 22, asthma(on)),
            DemoChild("Rosa Flynn", "", 12, "Year 7", "7C", 23, None),
        ),
        (
            DemoChild("Callum Cole", "", 11, "Year 6", "Beech", 31, epilepsy(on)),
            DemoChild("Efua Owen", "", 15, "Year 10", "Rowan", 32, diabetes(on)),
        ),
    )
