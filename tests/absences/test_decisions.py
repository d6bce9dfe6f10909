"""The log of a case: what may be written, what is refused, and that nothing in it can be changed."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pypdf
import pytest
from django.db import ProgrammingError, connection, transaction

from handrail.absences import decisions
from handrail.absences.actions import Refused, enter_codes
from handrail.absences.counting import standing_of
from handrail.absences.daycount import Session, Slot
from handrail.absences.models import CaseEntry
from handrail.absences.paper import decision_log
from handrail.absences.section19 import Stage
from handrail.core.models import AuditEntry
from handrail.records.actions import AuthorityKeeps, erase_child
from handrail.records.child import as_json
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db
NEXT = date(2027, 1, 4)


@pytest.fixture
def case(one, terms, poppy, nora, report, days_ago):
    """A child at day 16."""
    with inside(one):
        yield report(poppy, days_ago(21)).case


@pytest.fixture
def write(nora, at, on, case):
    """`write("decide", outcome="yes")` adds to the log of the case as the named officer."""
    ordinary = {
        "decide": {"outcome": "yes", "decided_on": on, "evidence": "A GP letter", "reasons": "Too ill for 15 days"},
        "first_session": {"happened_on": on, "hours": Decimal(25), "why_not_full_time": ""},
        "suitable_already": {"happened_on": on, "evidence": "A timetable", "reasons": "The hospital school teaches"},
        "review": {"happened_on": on, "reasons": "Goes on well", "hours": None, "why_not_full_time": ""},
        "education_ended": {"happened_on": on, "reasons": "The tutor left"},
    }

    def run(what, **more):
        given = ordinary[what] | ({} if what == "education_ended" else {"next_review_on": NEXT}) | more
        return getattr(decisions, what)(case=case, by=nora, at=at, **given)

    return run


class TestTheLog:
    def test_keeps_who_what_when_why_and_how_the_count_stood(self, case, write, nora, on, at):
        entry = write("decide", letter_on=on)
        entry.refresh_from_db()
        assert (entry.number, entry.outcome, entry.evidence, entry.reasons) == (
            1,
            "yes",
            "A GP letter",
            "Too ill for 15 days",
        )
        assert (entry.letter_on, entry.next_review_on, entry.made_at, entry.made_by_name) == (
            on,
            NEXT,
            at,
            "Nora Named",
        )
        assert entry.trigger == (
            "16 days lost through illness in the school year. "
            "The clock runs since 20 November 2026: 15 days were reached."
        )
        assert write("review").number == 2

    def test_keeps_how_the_count_stood_then_when_codes_arrive_later(self, case, write, cast, at):
        before = write("decide").trigger
        slots = {Slot(date(2026, 11, 2) + timedelta(days=n), Session.AM): "/" for n in range(5)}
        enter_codes(pupil=case.pupil, codes=slots, by=cast.head, at=at)
        assert CaseEntry.objects.get().trigger == before
        assert write("review").trigger.startswith("13½ days")

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_cannot_be_changed_by_whoever_serves_pages(self, case, write, change):
        write("decide")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            CaseEntry.objects.update(number=9) if change == "update" else CaseEntry.objects.all().delete()
        assert CaseEntry.objects.get().number == 1

    def test_is_recorded_by_name_and_without_a_word(self, case, write, cast):
        write("decide")
        entry = AuditEntry.objects.get(verb="wrote in the log of a case")
        assert (entry.subject_id, entry.school_id, entry.fields) == (case.id, cast.oak.id, ["entries"])


class TestTheClock:
    @pytest.mark.parametrize("outcome", ["yes", "no", "more"])
    def test_is_stopped_by_no_decision(self, case, write, on, outcome):
        write("decide", outcome=outcome)
        assert standing_of(case, on=on).is_running

    @pytest.mark.parametrize("what", ["first_session", "suitable_already"])
    def test_is_stopped_once(self, case, write, on, what):
        write(what)
        now = standing_of(case, on=on)
        assert (now.stage, now.stopped_on, now.next_review_on) == (Stage.STOPPED, on, NEXT)
        for again in ("first_session", "suitable_already"):
            with pytest.raises(decisions.ClockStopped, match="stopped already"):
                write(again)

    def test_runs_again_when_the_education_stops(self, case, write, on):
        with pytest.raises(decisions.ClockStopped, match="no education was recorded"):
            write("education_ended")
        write("first_session", happened_on=on - timedelta(days=1))
        with pytest.raises(decisions.ClockStopped, match="on or after"):
            write("education_ended", happened_on=on - timedelta(days=2))
        write("education_ended")
        assert standing_of(case, on=on).started_on == on
        for again in ("first_session", "suitable_already"):
            with pytest.raises(decisions.ClockStopped, match="stopped on 23 November 2026"):
                write(again, happened_on=on - timedelta(days=1))
        write("first_session")
        assert not standing_of(case, on=on).is_running


class TestRefusals:
    @pytest.mark.parametrize(
        ("what", "change", "field"),
        [
            ("decide", {"decided_on": date(2026, 11, 24)}, "decided_on"),
            ("decide", {"letter_on": date(2026, 11, 24)}, "letter_on"),
            ("decide", {"next_review_on": date(2026, 11, 23)}, "next_review_on"),
            ("first_session", {"happened_on": date(2026, 11, 24)}, "happened_on"),
            ("first_session", {"hours": Decimal("24.5")}, "why_not_full_time"),
            ("suitable_already", {"happened_on": date(2026, 11, 24)}, "happened_on"),
            ("review", {"hours": Decimal(5)}, "why_not_full_time"),
            ("review", {"next_review_on": date(2026, 11, 1)}, "next_review_on"),
        ],
    )
    def test_say_which_answer(self, write, what, change, field):
        with pytest.raises(Refused) as refusal:
            write(what, **change)
        assert refusal.value.field == field
        assert not CaseEntry.objects.exists()

    def test_fewer_hours_are_taken_with_a_reason(self, write):
        assert write(
            "first_session", hours=Decimal("7.5"), why_not_full_time="As much as health allows"
        ).hours == Decimal("7.5")


class TestOnPaper:
    def test_the_log_answers_a_complaint(self, case, write, on, tmp_path):
        write("decide", evidence="A letter with #markup[ and *stars*", letter_on=on)
        write("first_session", hours=Decimal("7.5"), why_not_full_time="As much as health allows")
        content = decision_log(case, standing_of(case, on=on), authority="Barsetshire", printed="Printed today.")
        (tmp_path / "log.pdf").write_bytes(content)
        text = " ".join(pypdf.PdfReader(tmp_path / "log.pdf").pages[0].extract_text().split())
        for said in (
            "Poppy Canarywright",
            "1. Decision: Yes, the authority arranges education",
            "A letter with #markup[ and *stars*",
            "Written by Nora Named on 23 November 2026 at 9:05am",
            "Letter to the family: 23 November 2026",
            "Hours a week: 7.5",
            "As much as health allows",
            "Next review: 4 January 2027",
            "Hana Head reported an absence from 2 November 2026",
        ):
            assert said in text


class TestTheChildsRecord:
    def test_holds_all_of_it(self, case, write):
        write("decide")
        held = as_json(case.pupil)
        assert held["absences_caseentry"][0]["reasons"] == "Too ill for 15 days"
        assert held["absences_sicknessreturn"][0]["says"] == {"address": "1 High Street"}

    def test_is_erased_with_the_child_until_the_authority_has_written_in_its_log(self, case, write, cast, at):
        write("decide")
        with pytest.raises(AuthorityKeeps, match="must keep the record"):
            erase_child(pupil=case.pupil, by=cast.head, at=at)
        assert Pupil.objects.filter(id=case.pupil_id).exists()

    def test_is_erased_with_the_child(self, case, cast, at):
        erase_child(pupil=case.pupil, by=cast.head, at=at)
        assert not Pupil.objects.filter(id=case.pupil_id).exists()


class TestWrittenMeanwhile:
    def test_is_told_and_nothing_is_lost(self, case, write):
        write("decide", outcome="more", seen=0)
        with pytest.raises(decisions.WrittenMeanwhile, match=r"Nora Named has written “Decision: Not yet"):
            write("decide", outcome="no", seen=0)
        write("decide", outcome="no", seen=1)
        assert list(CaseEntry.objects.in_order().values_list("outcome", flat=True)) == ["more", "no"]

    def test_is_said_on_the_page_which_keeps_what_was_typed(self, one, terms, poppy, nora, report, days_ago, browse):
        with inside(one):
            case = report(poppy, days_ago(21)).case
        client, address = browse(nora), f"/cases/{case.id}/decision/"
        assert 'name="seen" value="0"' in client.get(address).text
        typed = {
            "outcome": "yes", "evidence": "A GP letter", "reasons": "Typed once", "seen": "0",
            **{f"decided_on_{box}": value for box, value in (("day", 23), ("month", 11), ("year", 2026))},
            **{f"next_review_on_{box}": value for box, value in (("day", 4), ("month", 1), ("year", 2027))},
        }  # fmt: skip
        assert client.post(address, typed).status_code == 302
        page = client.post(address, typed | {"reasons": "Typed twice"}).text
        assert "Nora Named has written" in page and "Typed twice" in page and 'name="seen" value="1"' in page
        assert client.post(address, typed | {"seen": "1"}).status_code == 302


@pytest.mark.django_db(transaction=True)
class TestTwoOfficersAtOnce:
    def test_one_decides_and_the_other_is_told(self, one, cast, terms, poppy, nora, report, at, on, days_ago):
        with inside(one):
            case = report(poppy, days_ago(21)).case
        results, together = [], threading.Barrier(2, timeout=30)

        def decide(outcome):
            together.wait()
            try:
                with inside(one):
                    decisions.decide(
                        case=case, outcome=outcome, decided_on=on, evidence="A letter", reasons="Why",
                        next_review_on=NEXT, by=nora, at=at, seen=0,
                    )  # fmt: skip
                results.append("written")
            except decisions.WrittenMeanwhile:
                results.append("told")
            connection.close()

        threads = [threading.Thread(target=decide, args=(each,)) for each in ("yes", "no")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["told", "written"]
        with inside(one):
            assert CaseEntry.objects.get().number == 1
