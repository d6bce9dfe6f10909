"""Whom a school tells of its allergy safety policy each year: pupils, parents and everyone who works there."""

from datetime import date
from shutil import copytree

import pytest
from django.db import DatabaseError, transaction
from factories import SchoolFactory, person

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.guidance import published
from handrail.guidance.reading import TEXTS
from handrail.policies.actions import decide_not_needed, open_policies
from handrail.policies.communications import NotToBeTold, ToldInFuture, record_communication, told_of
from handrail.policies.models import Communication, Kind, Policy, called
from tenants.context import inside
from tenants.database import execute_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def allergy(policies, the_day):
    return policies[Kind.ALLERGY_SAFETY]


@pytest.fixture
def tell(one, cast, at, allergy):
    def record(*audiences, told_on, policy=allergy, how="A letter"):
        with inside(one):
            return record_communication(
                policy=policy, audiences=audiences, told_on=told_on, how=how, by=cast.head, at=at
            )

    return record


@pytest.fixture
def place(allergy):
    return "/schools/900001/policies/told/"


TO_BE_CONFIRMED = 'status = "enacted"\nis_confirmed = false\n'


def typed(**changes):
    return {
        "audiences": ["pupils", "workers"], "told_on_day": "2", "told_on_month": "11", "told_on_year": "2026",
        "how": "Assembly and staff meeting", **changes,
    }  # fmt: skip


class TestTelling:
    def test_is_to_be_repeated_within_a_year(self, one, on, allergy, tell):
        tell("pupils", told_on=date(2025, 11, 22))
        tell("parents", told_on=date(2025, 12, 1))
        with inside(one):
            assert [(each.audience, each.status) for each in told_of(allergy, on=on, settings=AuthoritySettings())] == [
                ("pupils", "overdue"), ("parents", "due_soon"), ("workers", "overdue"),
            ]  # fmt: skip

    def test_of_those_whom_nobody_told_is_due_within_a_year_of_the_first(self, one, on, allergy, tell):
        def due():
            with inside(one):
                return [each.due_on for each in told_of(allergy, on=on, settings=AuthoritySettings())]

        assert due() == [None, None, None]
        tell("pupils", told_on=date(2025, 11, 22))
        assert due() == [date(2026, 11, 22)] * 3
        tell("pupils", told_on=date(2026, 11, 2))
        assert due() == [date(2027, 11, 2), date(2026, 11, 22), date(2026, 11, 22)]
        tell("parents", "workers", told_on=date(2026, 11, 3))
        assert due() == [date(2027, 11, 2), date(2027, 11, 3), date(2027, 11, 3)]

    def test_again_counts_from_the_last_day_whichever_was_recorded_first(self, one, on, allergy, tell):
        tell("pupils", told_on=date(2026, 9, 1))
        tell("pupils", told_on=date(2025, 9, 1))
        with inside(one):
            assert told_of(allergy, on=on, settings=AuthoritySettings())[0].last.told_on == date(2026, 9, 1)

    def test_twice_on_a_day_changes_nothing(self, one, tell):
        assert len(tell("pupils", told_on=date(2026, 9, 1))) == 1
        assert tell("pupils", told_on=date(2026, 9, 1), how="Another letter") == []
        with inside(one):
            assert Communication.objects.get().how == "A letter"
            assert AuditEntry.objects.get(verb="recorded whom a policy was brought to").fields == ["pupils"]

    def test_is_refused_before_its_day_and_of_another_policy(self, one, cast, at, allergy, policies, tell):
        with pytest.raises(ToldInFuture):
            tell("pupils", told_on=date(2026, 11, 24))
        with pytest.raises(NotToBeTold):
            tell("pupils", told_on=date(2026, 9, 1), policy=policies[Kind.MEDICAL_CONDITIONS])
        with inside(one):
            decide_not_needed(policy=allergy, by=cast.head, at=at, reason="Shared")
            allergy.refresh_from_db()
        with pytest.raises(NotToBeTold):
            tell("pupils", told_on=date(2026, 9, 1))

    @pytest.mark.parametrize("statement", ["UPDATE {} SET how = ''", "DELETE FROM {}"])
    def test_cannot_be_changed_by_whoever_serves_pages(self, one, tell, statement):
        tell("pupils", told_on=date(2026, 9, 1))
        with inside(one), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            execute_count(statement.format("policies_communication"), [])


class TestThePages:
    @pytest.fixture
    def starts(self, tmp_path, monkeypatch):
        """`starts(lines)` is a release in which the Act's text begins with these lines instead of its status."""
        folder = copytree(TEXTS, tmp_path / "texts")
        monkeypatch.setattr(published, "TEXTS", folder)

        def release(lines):
            text = (folder / "CFA-100A-1.toml").read_text()
            (folder / "CFA-100A-1.toml").write_text(text.replace(TO_BE_CONFIRMED, lines, 1))
            published.editions.cache_clear()

        yield release
        published.editions.cache_clear()

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            (TO_BE_CONFIRMED, "Start date to be confirmed"),
            ('status = "enacted"\nis_confirmed = true\neffective_from = 2027-01-01\n', "Start date known"),
            ('status = "in_force"\nis_confirmed = true\neffective_from = 2026-09-01\n', ""),
        ],
    )
    def test_never_look_like_law_before_it_is(self, cast, browse, place, allergy, starts, lines, says):
        starts(lines)
        client, school = browse(cast.head), "/schools/900001/policies/"
        for path in (place, school, f"{school}{allergy.id}/"):
            page = client.get(path).text
            assert [words for words in ("Start date to be confirmed", "Start date known") if words in page] == (
                [says] if says else []
            )
        caveat = f" ({says[:1].lower()}{says[1:]})" if says else ""
        review = f"{school}{allergy.id}/review/"
        client.post(review, {"outcome": "no_change", "day": "today"})
        client.post(f"{review}place/", {"published_url": "https://oak.example/policy"})
        assert f"at least once a year{caveat}." in client.get(f"{review}next/").text
        assert called(Kind.ALLERGY_SAFETY, date(2026, 11, 23)) == f"Allergy safety policy{caveat}"
        public = browse().get("/how-we-work-out-status/").text
        assert f"Passed on 29 April 2026. {says or 'In force'}." in public

    def test_record_it_and_show_it_on_the_schools_page(self, one, cast, browse, place, allergy):
        client = browse(cast.head)
        page = client.get(place).text
        assert "Start date to be confirmed" in page and page.count("Not recorded") == 6
        assert "Recorded who was told." in client.post(f"{place}record/", typed(), follow=True).text
        for address in ("/schools/900001/policies/", f"/schools/900001/policies/{allergy.id}/"):
            page = client.get(address).text
            assert "pupils on 2 November 2026; parents and carers not recorded" in page
        page = browse(cast.officer).get(place).text
        assert "Assembly and staff meeting" in page
        assert page.count("2 November 2027") == 3, "parents are to be told within a year of the first too"

    def test_say_on_the_schools_page_that_somebody_was_to_be_told(self, one, cast, browse, allergy, tell):
        tell("pupils", told_on=date(2025, 11, 2))
        page = browse(cast.head).get("/schools/900001/policies/").text
        assert "pupils on 2 November 2025, over a year ago; parents and carers not recorded, was due by" in page

    def test_say_what_is_wrong_and_keep_the_rest(self, one, cast, browse, place):
        page = browse(cast.head).post(f"{place}record/", typed(audiences=[], told_on_year="2027")).text
        assert "Select who was told" in page and "must be today or in the past" in page
        assert "Assembly and staff meeting" in page
        with inside(one):
            assert not Communication.objects.exists()

    def test_are_for_those_who_record_reviews_there(self, one, cast, browse, place):
        assert browse(cast.neighbour).get(place).status_code == 404
        assert browse(cast.neighbour).post(f"{place}record/", typed()).status_code == 404
        with inside(one):
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        assert browse(governor).get(place).status_code == 200
        assert browse(governor).post(f"{place}record/", typed()).status_code == 403

    def test_are_shown_of_no_school_without_the_duty(self, one, cast, browse, on, at, the_day):
        with inside(one):
            school = SchoolFactory(urn="900077", body="independent_school", type_name="Other independent school")
            open_policies(on=on, at=at)
            policy = Policy.objects.get(school=school, kind=Kind.ALLERGY_SAFETY)
            assert told_of(policy, on=on, settings=AuthoritySettings()) == []
        assert "Telling people about it" not in browse(cast.officer).get("/schools/900077/policies/").text
