"""What a pack asks, who reads each item, and what it says in words."""

from datetime import timedelta
from typing import Any

import pytest
from factories import person
from handovers.between import AT, SAID, TODAY, Between

from handrail.absences.actions import make_return
from handrail.accounts.roles import Role
from handrail.handovers import pack
from handrail.handovers.pack import ITEMS, SeenBy, Sensitivity
from handrail.handovers.pack_content import content_of, known_of
from handrail.schools.models import Pupil
from tenants.context import inside


def missing(tier: int = 1, **about: Any) -> set[str]:
    return {item.name for item in pack.gaps({"about": {**SAID, **about}}, tier)}


class TestTheItems:
    @pytest.mark.parametrize("name", ["sex", "address", "safeguarding_lead", "medicine", "restrictions"])
    def test_of_the_smallest_safe_set_are_needed(self, name: str) -> None:
        assert name not in missing()
        assert name in missing(**{name: ""})

    @pytest.mark.parametrize(
        ("question", "name"),
        [("looked_after", "social_worker"), ("safeguarding", "safeguarding_file"), ("home_visits", "risk")],
    )
    def test_some_are_needed_by_the_answer_to_another(self, question: str, name: str) -> None:
        assert name not in missing(**{question: "no"})
        assert name in missing(**{question: "yes"})

    def test_what_a_school_cannot_mend_holds_nothing_up(self) -> None:
        assert {"named_officer", "review_on", "school_authority"} <= missing(tier=2)

    def test_say_how_sensitive_they_are_and_who_reads_them(self) -> None:
        told = {item.name: item.help_text for item in ITEMS}
        assert told["fitness"].endswith("keep away from. About health.")
        assert told["social_worker"].endswith("Restricted. Read by the lead of the setting only.")

    def test_restricted_ones_are_the_leads_unless_whoever_is_with_the_child_must_know(self) -> None:
        open_ones = {
            each.name for each in ITEMS if each.sensitivity == Sensitivity.HIGH and each.seen_by != SeenBy.LEADS
        }
        assert open_ones == {"restrictions", "risk"}


CONTENT: dict[str, Any] = {
    "home": {"lives_in": "Barsetshire", "named_officer": "Nora", "ring": "Hana"},
    "plan": {"review_on": "2027-03-01", "emergency": {}},
    "about": {"reason": "mental", "looked_after": "yes", "social_worker": "Sol Social"},
}


class TestInWords:
    def test_a_lead_reads_all_of_it(self) -> None:
        told = {row["key"]: row["value"] for row in pack.in_words(CONTENT, is_lead=True)}
        assert told == {
            "The authority where the child lives": "Barsetshire",
            "Named officer of the school’s authority": "Nora",
            "The plan is to be reviewed by": "1 March 2027",
            "Why can the child not be at school?": "Mental health",
            "Is the child looked after?": "Yes",
            "If the child is: who are the social worker and the virtual school?": "Sol Social",
        }

    def test_a_teacher_reads_what_is_not_the_leads(self) -> None:
        told = [row["key"] for row in pack.in_words(CONTENT, is_lead=False)]
        assert len(told) == 4 and not any("social worker" in key or "looked after" in key for key in told)

    def test_a_pack_of_an_earlier_release_says_less(self) -> None:
        assert pack.in_words({"home": {"authority": "001"}, "plan": {}, "about": {}}, is_lead=True) == []


class TestWhatTheSchoolKnows:
    def test_goes_with_it(self, between: Between) -> None:
        handover = between.prepare()
        with inside(between.one):
            person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")
            pupil = Pupil.objects.get(id=between.pupil_id)
            home = content_of(handover, pupil, on=TODAY)["home"]
            assert (home["lives_in"], home["school_authority"]) == ("Barsetshire", "Barsetshire")
            assert home["named_officer"] == "Nora Named (nora@barsetshire.example)"

    def test_begins_with_the_address_of_the_last_return(self, between: Between) -> None:
        with inside(between.one):
            pupil = Pupil.objects.get(id=between.pupil_id)
            assert known_of(pupil) == {}
            make_return(
                pupil=pupil,
                first_on=TODAY - timedelta(days=3),
                is_likely=False,
                says={"address": "2 Low Street"},
                lives_in="001",
                by=between.people["lead"],
                at=AT,
            )
            assert known_of(pupil) == {"address": "2 Low Street"}
