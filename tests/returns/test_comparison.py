"""Adequacy on the 2017 criteria: what schools answered, beside what two audits published, and never as a repetition."""

import re
from csv import DictReader
from datetime import date, timedelta
from io import StringIO

import pytest
from factories import SchoolFactory
from reading import text_of

from handrail.guidance.published import framework
from handrail.policies.actions import open_policies
from handrail.policies.models import Kind, MonthEnd, Policy, PolicyMonth
from handrail.returns.actions import Wanted, open_cycle, save_answers, submit
from handrail.returns.comparison import By, Group, comparison, month_by_month
from tenants.context import inside

pytestmark = pytest.mark.django_db
PAGE, SHEET = "/returns/2017-criteria/", "/returns/2017-criteria.csv"


@pytest.fixture
def audited(one, cast, at, on):
    """A cycle that asks the nine points, and `answers(school, **verdicts)` to it."""
    ids = [each.id for each in framework("AUDIT-2017").of("maintained_school")]
    with inside(one):
        open_policies(on=on, at=at)
        cycle = open_cycle(
            school_year=2026,
            framework_ids=["AUDIT-2017"],
            due_on=on + timedelta(days=60),
            closes_on=on + timedelta(days=120),
            by=cast.officer,
            at=at,
        )

    def answers(school, verdict="yes", published_url=""):
        about = {"cycle": cycle, "school": school, "by": cast.head, "at": at}
        said = {each: Wanted("yes") for each in ids} | {ids[3]: Wanted(verdict, reason="Why")}
        save_answers(answers=said, **about)
        submit(**about)
        of_school = Policy.objects.filter(school=school, kind=Kind.MEDICAL_CONDITIONS)
        of_school.update(published_url=published_url)

    return answers


class TestTheNumbers:
    def test_count_schools_that_meet_all_nine_points_of_those_that_answered(self, one, cast, audited, on):
        with inside(one):
            audited(cast.oak, published_url="https://oak.example/")
            audited(cast.elm, "partly")
            others = comparison(on=on)[By.PHASE][-1].schools - 2
            SchoolFactory(phase_name="Nursery")
            found = comparison(on=on)
            assert found[By.PHASE][-1] == Group("All schools", others + 3, 2, 1, 1, years=((2026, 2),))
            assert Group("Nursery", 1) in found[By.PHASE]
            assert sum(each.answered for each in found[By.TRUST][:-1]) == 2
            assert set(found) == set(By.values)

    @pytest.mark.parametrize("verdict", ["partly", "no", "not_applicable"])
    def test_count_no_point_that_is_not_a_yes_as_met(self, one, cast, audited, on, verdict):
        with inside(one):
            audited(cast.oak, verdict)
            total = comparison(on=on)[By.TYPE][-1]
        assert (total.answered, total.adequate, total.share(total.adequate)) == (1, 0, "0.0")

    def test_say_of_the_returns_of_which_year_the_answers_are(self, one, cast, on, at, browse):
        """Elm School answered a year ago, and nothing about these points since."""
        ids = [each.id for each in framework("AUDIT-2017").of("maintained_school")]
        with inside(one):
            for school, year, days in ((cast.elm, 2025, 365), (cast.oak, 2026, 0)):
                then, day = at - timedelta(days=days), on - timedelta(days=days)
                dates = {"due_on": day + timedelta(days=60), "closes_on": day + timedelta(days=90)}
                about = {"framework_ids": ["AUDIT-2017"], "by": cast.officer, "at": then}
                cycle = open_cycle(school_year=year, **dates, **about)
                about = {"cycle": cycle, "school": school, "by": cast.head, "at": then}
                save_answers(answers={each: Wanted("yes") for each in ids}, **about)
                submit(**about)
            assert comparison(on=on)[By.TRUST][-1].years == ((2026, 1), (2025, 1))
        said = text_of(browse(cast.officer).get(PAGE))
        assert "newest return about these points: 2026 to 2027, 1 school; 2025 to 2026, 1 school." in said

    def test_call_nothing_a_share_where_nobody_answered(self, one, audited, on):
        with inside(one):
            total = comparison(on=on)[By.TYPE][-1]
        assert (total.answered, total.share(total.adequate)) == (0, "")

    def test_of_months_are_those_that_were_kept(self, one, at):
        with inside(one):
            for month, adequate in ((9, [None, False]), (10, [True, False])):
                end = MonthEnd.objects.create(ended_on=date(2026, month, 30), taken_at=at)
                for number, each in enumerate(adequate):
                    PolicyMonth.objects.create(
                        month=end, policy_id=MonthEnd().id, kind=Kind.MEDICAL_CONDITIONS,
                        urn=f"90000{number}", is_in_date=True, is_published=bool(each), is_adequate=each,
                    )  # fmt: skip
            assert month_by_month() == [
                (date(2026, 9, 30), Group("All schools", 2, 1, 0, 0)),
                (date(2026, 10, 30), Group("All schools", 2, 2, 1, 1)),
            ]


class TestThePage:
    def test_shows_them_beside_what_was_published_and_says_what_they_are_not(self, one, cast, audited, browse):
        officer = browse(cast.officer)
        assert "No school has answered the nine points yet." in text_of(officer.get(PAGE))
        with inside(one):
            audited(cast.oak)
        said = text_of(officer.get(PAGE))
        for words in (
            "1 of 1 school that answered: 100.0 per cent",
            "This does not repeat the audit of 2017.",
            "11.5",
            "27",
            "so the two figures make no trend",
            "which says nothing about",
            framework("AUDIT-2017").requirements[0].says,
        ):
            assert words in said, words
        assert "By trust" in text_of(officer.get(f"{PAGE}?by=trust_name"))
        assert "By phase" in text_of(officer.get(f"{PAGE}?by=nonsense"))

    def test_draws_the_months_when_there_are_two(self, one, cast, audited, browse, at):
        officer = browse(cast.officer)
        for month in (9, 10):
            with inside(one):
                end = MonthEnd.objects.create(ended_on=date(2026, month, 30), taken_at=at)
                PolicyMonth.objects.create(
                    month=end, policy_id=end.id, kind=Kind.MEDICAL_CONDITIONS, urn="900001", is_in_date=True,
                    is_published=True, is_adequate=month == 10,
                )  # fmt: skip
            page = officer.get(PAGE).content.decode()
            assert ("app-chart" in page) == (month == 10)
            assert "September 2026" in page

    def test_the_points_are_ticked_for_the_next_return_and_said_to_be_no_law(self, cast, browse):
        page = browse(cast.officer).get("/returns/open/")
        [box] = re.findall(r'<input[^>]*value="AUDIT-2017"[^>]*>', page.text)
        assert "checked" in box
        assert "Benchmark, not law. No school has to meet these points." in text_of(page)

    def test_says_what_to_do_when_the_return_does_not_ask(self, cast, cycle, browse):
        assert "The return does not ask about the nine points." in text_of(browse(cast.officer).get(PAGE))

    def test_is_a_file_with_every_group(self, one, cast, audited, browse):
        with inside(one):
            audited(cast.oak)
        sheet = b"".join(browse(cast.officer).get(SHEET).streaming_content).decode("utf-8-sig")
        assert sheet.startswith("As at,Grouped by,Group,Schools,Answered the nine points")
        rows = list(DictReader(StringIO(sheet)))
        assert {row["Grouped by"] for row in rows} == {"Phase", "Type", "Trust"}
        for row in rows:
            assert row["Published elsewhere, Early 2017: per cent"] == "11.5"
            assert row["Published elsewhere, November 2021: per cent"] == "27"
            assert row["With care"].startswith("This does not repeat the audit of 2017.")
            assert "so the two figures make no trend" in row["With care"]

    @pytest.mark.parametrize("address", [PAGE, SHEET])
    def test_is_the_authoritys(self, cast, browse, address):
        assert browse(cast.head).get(address).status_code == 403
        assert browse().get(address).status_code == 302

    def test_asks_as_often_for_many_schools(self, one, cast, audited, browse, django_assert_max_num_queries):
        officer = browse(cast.officer)
        with inside(one):
            for _ in range(10):
                SchoolFactory()
        officer.get(PAGE)
        with django_assert_max_num_queries(10):
            officer.get(PAGE)
