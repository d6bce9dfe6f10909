"""Reminders by hand: are you sure, and what becomes of them."""

import re
from datetime import timedelta

import pytest
from factories import SchoolFactory

from handrail.core.models import AuditEntry
from handrail.notices.models import Notice
from handrail.policies.models import Kind
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

REMIND = "/chase/remind/"


@pytest.fixture
def late(one, cast, policy):
    """Four overdue policies: two of Oak School, one of Elm School, one of a school without an address."""
    with inside(one):
        silent = SchoolFactory(name="Silent School", lead_email="", head_email="", office_email="")
        return {
            "oak": policy(cast.oak, due_in=-3),
            "oak allergy": policy(cast.oak, Kind.ALLERGY_SAFETY),
            "elm": policy(cast.elm, due_in=-4),
            "silent": policy(silent, due_in=-99),
        }


def owed(one) -> set[tuple[str, str]]:
    with inside(one):
        return set(Notice.objects.values_list("recipient", "step"))


BY_HAND = "by-hand-2026-11-23"


class TestAreYouSure:
    def test_shows_the_count_and_the_text_and_writes_nothing(self, one, cast, browse, late):
        html = browse(cast.officer).get(REMIND, {"one": late["oak"].id}).content.decode()
        assert "<h1" in html
        assert "Send 1 reminder?" in html
        assert "Oak School: please review the medical conditions policy" in html
        assert "Olu Officer at Barsetshire asks you to look" in html
        assert "It was due for review on 20 November 2026." in html
        assert owed(one) == set()

    def test_names_those_that_nobody_can_be_reminded_of(self, cast, browse, late):
        html = browse(cast.officer).get(REMIND, {"all": "yes"}).content.decode()
        assert "Send 3 reminders?" in html
        assert "1 policy is left out, because the school has given no e-mail address" in html
        assert re.search(r'/people/">Silent School</a>', html)

    def test_says_so_when_nobody_can_be_reminded(self, cast, browse, late):
        html = browse(cast.officer).get(REMIND, {"one": late["silent"].id}).content.decode()
        assert "Nobody can be reminded now" in html
        assert "<form method" not in html.split("<main")[1]

    @pytest.mark.parametrize("asked", ["", "policy=", "policy=x", "one=1", "kind=allergy_safety"])
    def test_goes_back_when_nothing_was_selected(self, cast, browse, late, asked):
        officer = browse(cast.officer)
        answer = officer.get(f"{REMIND}?{asked}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/chase/")
        assert "Select at least one policy" in officer.get(answer["Location"]).content.decode()
        assert officer.post(f"{REMIND}?{asked}")["Location"] == answer["Location"]

    def test_goes_back_to_say_what_is_wrong_with_a_filter(self, cast, browse, late):
        officer = browse(cast.officer)
        answer = officer.get(f"{REMIND}?all=yes&urgency=soon")
        assert answer["Location"] == "/chase/?urgency=soon"
        assert officer.post(f"{REMIND}?all=yes&urgency=soon").status_code == 302


class TestRemind:
    def test_asks_for_one_and_goes_back_to_the_list_as_it_was(self, one, cast, browse, late):
        officer = browse(cast.officer)
        answer = officer.post(f"{REMIND}?urgency=overdue&page=1&one={late['oak'].id}")
        assert answer["Location"] == "/chase/?urgency=overdue&page=1"
        assert owed(one) == {("head@oak.example", BY_HAND)}
        with inside(one):
            assert Notice.objects.get().sent_by == cast.officer.id
            assert AuditEntry.objects.filter(verb="asked for reminders", by=cast.officer.id).count() == 1
        html = officer.get(answer["Location"]).content.decode()
        assert "1 reminder is on the way." in html
        assert "23 Nov 2026" in html

    def test_asks_for_those_ticked(self, one, cast, browse, late):
        browse(cast.officer).post(f"{REMIND}?policy={late['oak'].id}&policy={late['elm'].id}")
        assert owed(one) == {("head@oak.example", BY_HAND), ("neighbour@elm.example", BY_HAND)}

    def test_a_rows_own_button_is_about_that_row_alone(self, one, cast, browse, late):
        browse(cast.officer).post(f"{REMIND}?policy={late['oak'].id}&one={late['elm'].id}")
        assert owed(one) == {("neighbour@elm.example", BY_HAND)}

    def test_asks_for_all_of_the_list_as_filtered(self, one, cast, browse, late):
        officer = browse(cast.officer)
        officer.post(f"{REMIND}?all=yes&kind=allergy_safety")
        with inside(one):
            assert Notice.objects.get().subject_id == late["oak allergy"].id
        answer = officer.post(f"{REMIND}?all=yes")
        html = officer.get(answer["Location"]).content.decode()
        assert "2 reminders are on the way." in html
        assert "1 policy was left out: reminded in the last 24 hours." in html
        assert "1 policy has nobody to remind." in html

    def test_asks_once_however_often_it_is_pressed(self, one, cast, browse, late):
        officer = browse(cast.officer)
        for _ in range(2):
            officer.post(f"{REMIND}?one={late['oak'].id}")
        assert len(owed(one)) == 1

    def test_leaves_out_closed_schools(self, one, cast, browse, late, on):
        with inside(one):
            School.objects.filter(urn="900001").update(closed_on=on - timedelta(days=1))
        browse(cast.officer).post(f"{REMIND}?one={late['oak'].id}")
        assert owed(one) == set()

    def test_is_refused_to_schools_and_finds_nothing_of_another_authority(self, one, two, cast, browse, late, policy):
        path = f"{REMIND}?one={late['oak'].id}"
        for ask in ("get", "post"):
            assert getattr(browse(cast.head), ask)(path).status_code == 403
            assert getattr(browse(), ask)(path).status_code == 302
        with inside(two):
            far = policy(cast.far, due_in=-3)
        browse(cast.officer).post(f"{REMIND}?one={far.id}")
        browse(cast.stranger, authority=two).post(path)
        assert owed(one) == owed(two) == set()
