"""Workbooks: read as the CSV they would be saved as, and refused when they are broken, locked or made to do harm."""

import io
import time
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import DEFUSEDXML, Workbook

from handrail.imports import workbook
from handrail.imports.workbook import NotAWorkbook, is_workbook, write_csv

ROWS = 50


def packed(*rows, change=None):
    """The bytes of a workbook of these rows, its parts perhaps changed by `change(name, content)`."""
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    if change is None:
        return out.getvalue()
    with zipfile.ZipFile(out) as before, zipfile.ZipFile(new := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
    return new.getvalue()


@pytest.fixture
def read(tmp_path):
    """`read(content)` gives the lines of the CSV that a workbook becomes."""

    def run(content):
        source, target = tmp_path / "file.csv", tmp_path / "written.csv"
        source.write_bytes(content)
        assert is_workbook(source)
        write_csv(source, target, most_rows=ROWS)
        return target.read_text().splitlines()

    return run


def in_sheet(old, new):
    """Change the sheet's own XML."""

    def change(name, content):
        if name != "xl/worksheets/sheet1.xml":
            return content
        assert old in content
        return content.replace(old, new)

    return change


class TestASheet:
    def test_becomes_one_line_for_each_row_of_its_own_number(self, read):
        assert read(packed(["Name", "Born"], [], ["Ann\nAsh", date(2016, 5, 1)], ["Bo", datetime(2016, 5, 2, 9)])) == [
            "Name,Born",
            "",
            "Ann Ash,2016-05-01",
            "Bo,2016-05-02",
        ]

    def test_gives_cells_as_people_see_them(self, read):
        assert read(packed(["A", "B", "C", "D"], [5.0, 5.5, True, None], ["", "x", "", ""]))[1:] == [
            "5,5.5,Yes,",
            ",x,,",
        ]

    def test_is_as_wide_as_its_headings(self, read):
        assert read(packed(["A", "B", None, None], [1], [1, 2, 3]))[1:] == ["1,", "1,2"]

    def test_gives_what_a_formula_showed_last_and_never_works_one_out(self, read):
        showed = b'<c r="A2"><f>1+1</f><v>7</v></c>'
        content = packed(["A"], ["=1+1"], change=in_sheet(b'<c r="A2"><f>1+1</f><v /></c>', showed))
        assert read(content) == ["A", "7"]
        assert read(packed(["A", "B"], ["=1+1", "x"])) == ["A,B", ",x"]


class TestAWorkbookIsRefused:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"PK\x03\x04 and then nothing", "is damaged"),
            (packed(["A"])[:900], "is damaged"),
            (b"\xd0\xcf\x11\xe0 locked", "has a password"),
            (packed(*[["x"]] * (ROWS + 2)), "has more than 50 rows"),
            (packed(["A"], change=lambda name, content: b"<not-xml" if "sheet1" in name else content), "is damaged"),
        ],
    )
    def test_in_one_sentence(self, read, content, why):
        with pytest.raises(NotAWorkbook, match=why):
            read(content)

    def test_before_anything_is_unpacked_when_it_would_fill_memory(self, read, monkeypatch):
        bomb = packed(["A"], change=lambda name, content: content + b" " * (60 << 20) if "sheet1" in name else content)
        assert len(bomb) < 1 << 20
        monkeypatch.setattr(workbook, "load_workbook", lambda *_, **__: pytest.fail("it was opened"))
        with pytest.raises(NotAWorkbook, match="too large"):
            read(bomb)

    def test_when_it_says_that_a_part_is_smaller_than_it_is(self, read):
        content = bytearray(packed(["A"], *[["a long name of a child"]] * 40))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            part = archive.getinfo("xl/worksheets/sheet1.xml")
        size = part.file_size.to_bytes(4, "little")
        assert content.count(size) >= 1
        content = content.replace(size, (10).to_bytes(4, "little"))
        with pytest.raises(NotAWorkbook, match="is damaged"):
            read(bytes(content))

    def test_with_entities_in_it(self, read):
        assert DEFUSEDXML
        bombs = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'
        with pytest.raises(NotAWorkbook, match="is damaged"):
            read(packed(["A"], change=in_sheet(b"<worksheet", bombs)))


def test_a_row_that_says_it_is_far_down_keeps_nobody_busy(read):
    content = packed(["A"], ["x"], change=in_sheet(b'<row r="2"', b'<row r="900000000000"'))
    began = time.monotonic()
    assert read(content) == ["A"]
    content = packed(["A"], ["x"], change=in_sheet(b'<row r="2"', b'<row r="1000000"'))
    assert len(read(content)) == 1_000_000
    assert time.monotonic() - began < 120


def test_what_is_no_archive_is_no_workbook(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"Name,Date of birth\r\n")
    assert not is_workbook(tmp_path / "x.xlsx")
