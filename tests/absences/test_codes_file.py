"""Attendance codes from a file: a term's codes replayed give the same clock, and what is wrong is said by row."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as some

from handrail.absences.codes_file import MOST_ROWS, BadFile, read
from handrail.absences.daycount import CODES, MAY_COUNT, Session, Slot, count
from handrail.absences.models import AttendanceMark
from handrail.schools.models import Term
from tenants.context import inside

MONDAY = date(2026, 11, 2)


def text_of(codes: dict[Slot, str]) -> bytes:
    days = sorted({slot.on for slot in codes})
    rows = [f"{on:%d/%m/%Y},{codes.get(Slot(on, Session.AM), '')},{codes.get(Slot(on, Session.PM), '')}" for on in days]
    return "\r\n".join(["Date,AM,PM", *rows]).encode()


class TestRead:
    @given(
        some.dictionaries(some.tuples(some.integers(0, 300), some.sampled_from(Session)), some.sampled_from([*CODES]))
    )
    def test_gives_what_was_written(self, written: dict[tuple[int, Session], str]) -> None:
        codes = {Slot(MONDAY + timedelta(days=day), session): code for (day, session), code in written.items()}
        if codes:
            assert read(text_of(codes)) == codes

    @pytest.mark.parametrize(
        "text",
        [
            "PM,Name,Date,AM\nI,Wren,2026-11-02,i\n",
            "\ufeffdate,am,pm\n02-11-2026, I ,I\n\n",
            "Date,Morning,Afternoon\n2.11.2026,I,I",
            "Date,AM,PM\n02/11/2026 00:00,I,I\n2/11/2026,I,\n",
        ],
        ids=range(4),
    )
    def test_finds_columns_by_their_headings(self, text: str) -> None:
        assert read(text.encode()) == {Slot(MONDAY, Session.AM): "I", Slot(MONDAY, Session.PM): "I"}

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            ("\n\n", "is empty"),
            ("Name,Code\nWren,I\n", "headings Date, AM and PM"),
            ("Date,AM,PM\n32/11/2026,I,I\n", "Row 2: the date must be like 23/11/2026"),
            ("Date,AM,PM\n02/11/2026,I,QQ\n", "Row 2: QQ is not an attendance code"),
            ("Date,AM,PM\n02/11/2026,I,\n02/11/2026,/,\n", "Row 3: 02/11/2026 is there twice"),
            ("Date,AM,PM\n02/11/2026,,\n", "No row has a code"),
            ("Date,AM,PM\n" + "02/11/2026,I,I\n" * (MOST_ROWS + 1), "more than 400 days"),
            ("Date,AM,PM\n" + "x,I,I\n" * 30, "20 more rows have a problem"),
        ],
    )
    def test_says_which_row_is_wrong(self, text: str, says: str) -> None:
        with pytest.raises(BadFile, match=says):
            read(text.encode())

    @given(some.binary(max_size=300))
    def test_never_fails_in_another_way(self, data: bytes) -> None:
        with suppress(BadFile):
            read(data)


@pytest.mark.django_db
class TestThePage:
    def post(self, browse: Any, cast: Any, poppy: Any, data: bytes) -> Any:
        file = SimpleUploadedFile("codes.csv", data, content_type="text/csv")
        return browse(cast.head).post(f"/children/{poppy.id}/returns/codes/file/", {"file": file}, follow=True)

    def test_counts_a_term_as_if_each_code_had_been_entered(
        self, one: Any, cast: Any, terms: Any, poppy: Any, browse: Any
    ) -> None:
        codes = {
            Slot(date(2026, 9, 7) + timedelta(days=day), session): "I" if day % 3 else "/"
            for day in range(60)
            for session in Session
        }
        with inside(one):
            calendar = Term.objects.calendar()
            kept = {slot: code for slot, code in codes.items() if calendar.is_school_day(slot.on)}
        assert f"Read {len(kept)} sessions" in self.post(browse, cast, poppy, text_of(codes)).text
        with inside(one):
            stored = {Slot(each.on, Session(each.session)): each.code for each in AttendanceMark.objects.all()}
            assert stored == kept
            replayed = count(stored, calendar=calendar, counted=MAY_COUNT[:1], school_year=2026)
            assert replayed == count(kept, calendar=calendar, counted=MAY_COUNT[:1], school_year=2026)
            assert replayed.cumulative > 0
        assert "0 are new or different" in self.post(browse, cast, poppy, text_of(codes)).text

    @pytest.mark.parametrize("data", [b"Date,AM,PM\n02/11/2026,I,QQ\n", b"Date,AM,PM\n01/06/2099,I,I\n", b"x"])
    def test_changes_nothing_where_a_row_is_wrong(
        self, one: Any, cast: Any, terms: Any, poppy: Any, browse: Any, data: bytes
    ) -> None:
        answer = self.post(browse, cast, poppy, data)
        assert "There is a problem" in answer.text
        with inside(one):
            assert not AttendanceMark.objects.exists()
