"""The evidence of one case in a ZIP: an index with digests, the log on paper, and every list behind it, as at a day."""

import csv
import hashlib
import io
import zipfile
from datetime import date, timedelta

import pypdf
import pytest
from factories import PupilFactory, person

from handrail.absences import decisions
from handrail.absences.actions import enter_codes, make_return, open_this_year, withdraw_return
from handrail.absences.daycount import Session, Slot
from handrail.absences.models import Case
from handrail.absences.reminders import owe_case_reminders
from handrail.accounts.roles import Role
from handrail.core.models import ReadEntry
from handrail.records.evidence import evidence_pack
from tenants.context import inside

pytestmark = pytest.mark.django_db
FIRST = date(2026, 11, 2)
NAMES = [
    "decision-log.pdf", "log.csv", "returns.csv", "attendance.csv", "messages.csv", "handovers.csv", "changes.csv",
    "index.csv",
]  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def nora(one, cast):
    with inside(one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")


@pytest.fixture
def case(one, cast, nora, at, on):
    """A child at day 16, asked about and decided about."""
    with inside(one):
        poppy = PupilFactory(school=cast.oak, name="Poppy Canarywright")
        made = make_return(pupil=poppy, first_on=FIRST, is_likely=True, says={}, by=cast.head, at=at)
        enter_codes(pupil=poppy, codes={Slot(FIRST, Session.AM): "I"}, by=cast.head, at=at)
        owe_case_reminders(on=on, at=at)
        decisions.decide(
            case=made.case, outcome="yes", decided_on=on, evidence="A letter", reasons="=Canary()",
            next_review_on=date(2027, 1, 4), by=nora, at=at,
        )  # fmt: skip
        return made.case


def files(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def pack(one, case, on):
    def made(on=on):
        with inside(one):
            return evidence_pack(case, on=on, authority="Barsetshire", printed="Printed today.")

    return made


class TestAPack:
    def test_is_whole_and_its_index_tells_the_truth(self, pack):
        found = files(pack())
        assert list(found) == NAMES
        assert [(row["File"], int(row["Bytes"]), row["SHA-256"]) for row in rows(found["index.csv"])] == [
            (name, len(found[name]), hashlib.sha256(found[name]).hexdigest()) for name in NAMES[:-1]
        ]
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(found["decision-log.pdf"])).pages)
        assert "A letter" in text
        assert [row["By"] for row in rows(found["log.csv"])] == ["Nora Named"]
        assert rows(found["log.csv"])[0]["Reasons"] == "'=Canary()"
        assert [row["Code"] for row in rows(found["attendance.csv"])] == ["I"]
        assert [row["To whom"] for row in rows(found["messages.csv"])] == ["officer"]
        assert "made a sickness return" in {row["What"] for row in rows(found["changes.csv"])}

    def test_is_the_same_twice(self, pack):
        assert pack() == pack()

    def test_holds_nothing_that_came_later(self, one, case, nora, at, pack, on):
        with inside(one):
            decisions.first_session(
                case=case, happened_on=on - timedelta(days=2), hours=25, why_not_full_time="",
                next_review_on=date(2027, 1, 4), by=nora, at=at,
            )  # fmt: skip
        found = files(pack(on - timedelta(days=1)))
        for name in ("log.csv", "returns.csv", "messages.csv", "changes.csv"):
            assert rows(found[name]) == [], name
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(found["decision-log.pdf"])).pages)
        assert "A letter" not in text and "Nothing has been written yet" in text
        assert "Clock stopped" not in text and "The clock stopped" not in text

    @pytest.mark.parametrize("days", [0, 1])
    def test_tells_of_a_return_that_was_taken_back_later_as_it_stood_then(self, one, case, cast, at, pack, on, days):
        with inside(one):
            withdraw_return(made=case.returns.get(), by=cast.head, at=at + timedelta(days=1))
        found = files(pack(on + timedelta(days=days)))
        text = paper(found)
        assert "reported an absence from 2 November 2026" in text
        later = ("½ day lost" in text, "Taken back on 24 November 2026" in text)
        assert later == (days == 1, days == 1)

    def test_keeps_a_code_whose_place_another_took(self, one, case, cast, at, pack, on):
        with inside(one):
            codes = {Slot(FIRST, Session.AM): "/"}
            enter_codes(pupil=case.pupil, codes=codes, by=cast.head, at=at + timedelta(days=1))
        [ill] = rows(files(pack())["attendance.csv"])
        assert (ill["Code"], ill["Replaced"]) == ("I", "")
        [ill, there] = rows(files(pack(on + timedelta(days=1)))["attendance.csv"])
        assert (ill["Code"], ill["Replaced"]) == ("I", there["Recorded"])
        assert (there["Code"], there["Replaced"]) == ("/", "")

    def test_tells_of_a_return_of_the_year_before_that_a_case_rests_on(self, one, cast, nora, at, on):
        with inside(one):
            child = PupilFactory(school=cast.oak, joined_on=date(2025, 9, 1))
            summer = at.replace(month=8, day=24)
            make_return(pupil=child, first_on=summer.date(), is_likely=False, says={}, by=cast.head, at=summer)
            assert open_this_year(at=at) == 1
            of_this_year = Case.objects.get(pupil=child, school_year=2026)
            found = files(evidence_pack(of_this_year, on=on, authority="Barsetshire", printed="Printed today."))
        assert [row["First day away"] for row in rows(found["returns.csv"])] == ["2026-08-24"]
        assert "reported an absence from 24 August 2026" in paper(found)
        assert "made a sickness return" in {row["What"] for row in rows(found["changes.csv"])}


def paper(found):
    """The text of the log on paper, in one line."""
    pages = pypdf.PdfReader(io.BytesIO(found["decision-log.pdf"])).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestThePage:
    def test_gives_the_file_under_a_name_that_tells_nobody(self, one, cast, browse, nora, case):
        address = f"/records/cases/{case.id}/evidence/"
        answer = browse(nora).get(address)
        assert list(files(answer.content)) == NAMES
        assert "Poppy" not in answer["Content-Disposition"] and "2026-11-23.zip" in answer["Content-Disposition"]
        with inside(one):
            assert [each.child_ids for each in ReadEntry.objects.filter(verb="export")] == [[case.pupil_id]]
        assert f'href="{address}"' in browse(nora).get(f"/cases/{case.id}/").text
        for who in (cast.officer, cast.head):
            assert browse(who).get(address).status_code == 403

    @pytest.mark.parametrize(("day", "status"), [("2026-11-22", 200), ("2026-11-24", 404), ("never", 404)])
    def test_is_as_at_a_day_that_has_come(self, browse, nora, case, day, status):
        assert browse(nora).get(f"/records/cases/{case.id}/evidence/", {"on": day}).status_code == status
