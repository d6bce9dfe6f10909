"""What an emergency plan says: few words, for a frightened adult, on one page. Pure."""

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

LINE = 120
"""Characters in one line of it, such as a step."""

AT_MOST = {"signs": 6, "steps": 7, "call_999": 4, "never": 4}
"""Lines of each part: more would not fit one page, nor be read."""

MEDICINES, CONTACTS = 2, 3

PARTS = {
    "condition": "Condition",
    "signs": "Signs that it is happening",
    "steps": "What to do now",
    "call_999": "Call 999 if",
    "medicines": "Medicine",
    "never": "Never do",
    "contacts": "Contacts",
}
"""The parts in the order in which they are needed, and what they are called."""


@dataclass(frozen=True)
class Medicine:
    name: str
    dose: str
    place: str
    expires_on: date | None

    def is_out_of_date(self, on: date) -> bool:
        """Whether it must not be used on the day `on`: the day of expiry is its last."""
        return self.expires_on is not None and self.expires_on < on


@dataclass(frozen=True)
class Contact:
    name: str
    relation: str
    phone: str


@dataclass(frozen=True)
class Emergency:
    condition: str
    signs: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    call_999: tuple[str, ...] = ()
    medicines: tuple[Medicine, ...] = ()
    never: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()

    def changed_from(self, other: "Emergency | None") -> list[str]:
        """The names of the parts that say something else than in `other`."""
        return [each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name, ())]

    def lines(self, part: str) -> list[str]:
        """A part as lines of text."""
        value = getattr(self, part)
        if isinstance(value, str):
            return [value]
        return [
            each if isinstance(each, str) else ", ".join(str(said) for said in asdict(each).values() if said)
            for each in value
        ]

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        for medicine in found["medicines"]:
            medicine["expires_on"] = medicine["expires_on"] and medicine["expires_on"].isoformat()
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        medicines = tuple(
            Medicine(**each | {"expires_on": each["expires_on"] and date.fromisoformat(each["expires_on"])})
            for each in found["medicines"]
        )
        contacts = tuple(Contact(**each) for each in found["contacts"])
        texts = {name: tuple(found[name]) for name in AT_MOST}
        return cls(condition=found["condition"], medicines=medicines, contacts=contacts, **texts)
