"""Importing the register: exact counts, what is never written, what asks first, and what stays as it was."""

from datetime import date
from typing import Any

import pytest

from tenants.register import NeedsConfirmation
from tenants.register_file import NotTheRegister, read_links

FIRST, LATER = "edubasealldata20261120.csv", "edubasealldata20261127.csv"
LINKS, REAL_LINKS = "links_edubasealldata20261120.csv", "links_edubasealldata20250422.csv"


def counts(report: Any) -> dict[str, int]:
    """The figures that are not nought."""
    return {name: number for name, number in report.counts().items() if number}


@pytest.fixture
def whole_register(owner):
    """`whole_register()` gives every row, as stored, with its place on disk: a row written again has another."""

    def fetch() -> list[Any]:
        return owner.execute("SELECT ctid, xmin, e.* FROM tenants_establishment e ORDER BY urn").fetchall()

    return fetch


class TestImportRegister:
    def test_counts_the_first_import(self, imported, row):
        report = imported(FIRST, links=LINKS)
        assert counts(report) == {"rows": 779, "new": 779, "links": 35}
        assert report.file_date == date(2026, 11, 20)
        assert row("900908", "name, la_code, type_code, pupils, opened_on, trust_code, missing_since") == (
            "St Mary's Cresscombe Catholic Primary School", "002", 1, 157, None, "", None,
        )  # fmt: skip

    def test_counts_the_week_after(self, imported, row):
        imported(FIRST)
        report = imported(LATER)
        assert counts(report) == {"rows": 779, "new": 1, "changed": 6, "unchanged": 772, "closed": 3, "gone": 1}
        assert report.gone == ("900913",)
        assert row("900913", "status_code, missing_since") == (1, date(2026, 11, 27))
        assert row("901939", "missing_since") == (None,)

    @pytest.mark.parametrize("name", [FIRST, "real_rows_2018.csv", "malformed/utf8_bom.csv"])
    def test_writes_nothing_the_second_time(self, imported, whole_register, name):
        imported(name)
        before = whole_register()
        report = imported(name)
        assert counts(report) == {"rows": report.rows, "unchanged": report.rows}
        assert whole_register() == before

    def test_does_not_write_a_row_whose_telephone_number_alone_changed(self, imported, whole_register):
        imported(FIRST)
        before = {row[2]: row for row in whole_register()}
        imported(LATER)
        assert sum(before.get(row[2]) != row for row in whole_register()) == 1 + 6 + 1

    def test_says_again_which_rows_are_gone(self, imported, whole_register):
        imported(FIRST)
        imported(LATER)
        before = whole_register()
        assert imported(LATER).gone == ("900913",)
        assert whole_register() == before

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("real_rows_2018.csv", {"rows": 4, "new": 4}),
            ("malformed/utf8_bom.csv", {"rows": 12, "new": 12}),
            ("malformed/unquoted_slash_dates.csv", {"rows": 12, "new": 12}),
            ("malformed/cut_at_a_row_end.csv", {"rows": 40, "new": 40}),
            ("malformed/bad_rows.csv", {"rows": 12, "new": 6, "skipped": 6}),
        ],
    )
    def test_counts_a_file_on_an_empty_register(self, imported, name, expected):
        assert counts(imported(name)) == expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("real_rows_2018.csv", {"rows": 4, "new": 4, "gone": 779}),
            ("malformed/utf8_bom.csv", {"rows": 12, "unchanged": 12, "gone": 767}),
            ("malformed/unquoted_slash_dates.csv", {"rows": 12, "unchanged": 12, "gone": 767}),
            ("malformed/cut_at_a_row_end.csv", {"rows": 40, "unchanged": 40, "gone": 739}),
            ("malformed/bad_rows.csv", {"rows": 12, "changed": 1, "unchanged": 5, "skipped": 6, "gone": 770}),
        ],
    )
    def test_counts_a_file_on_the_full_register(self, imported, name, expected):
        imported(FIRST)
        with pytest.raises(NeedsConfirmation):
            imported(name)
        assert counts(imported(name, confirmed=True)) == expected

    def test_takes_back_the_rows_of_a_partial_file_without_a_change(self, imported, row):
        imported(FIRST)
        imported("malformed/cut_at_a_row_end.csv", confirmed=True)
        assert counts(imported(FIRST)) == {"rows": 779, "unchanged": 779}
        assert row("900913", "missing_since") == (None,)

    @pytest.mark.parametrize(
        "name", ["no_urn_column", "error_page", "utf16", "nul_bytes", "truncated", "empty", "header_only"]
    )
    def test_refuses_a_file_that_is_not_the_register(self, imported, owner, whole_register, name):
        imported(FIRST)
        before = whole_register()
        with pytest.raises(NotTheRegister):
            imported(f"malformed/{name}.csv", confirmed=True)
        assert whole_register() == before
        assert owner.execute("SELECT count(*) FROM tenants_registerimport").fetchone() == (1,)

    def test_keeps_a_formula_as_data(self, imported, row):
        imported(FIRST)
        imported("malformed/bad_rows.csv", confirmed=True)
        assert row("900702", "name") == ('=HYPERLINK("http://evil.example","x")',)

    def test_keeps_what_copy_has_a_meaning_for(self, imported, edited, row):
        odd = "\\N \\. \\\\ % %s {0} ' ; --"
        imported(edited(FIRST, lambda number, line: line.replace("Borchester", odd)))
        assert row("900908", "la_name, county") == (odd, odd)

    def test_records_the_import(self, imported, owner, at, gias):
        imported(FIRST, links=LINKS)
        imported("real_rows_2018.csv", confirmed=True)
        found = owner.execute(
            "SELECT file_name, file_date, length(sha256), imported_at, counts FROM tenants_registerimport ORDER BY id"
        ).fetchall()
        nought = dict.fromkeys(("rows", "new", "changed", "unchanged", "closed", "gone", "skipped", "links"), 0)
        assert found == [
            (FIRST, date(2026, 11, 20), 64, at, nought | {"rows": 779, "new": 779, "links": 35}),
            ("real_rows_2018.csv", None, 64, at, nought | {"rows": 4, "new": 4, "gone": 779}),
        ]

    def test_tells_its_progress(self, imported):
        told = []
        imported(FIRST, progress=lambda done, total: told.append((done, total)))
        assert told[-1] == (780, 780)
        assert told == sorted(told)


class TestFaultyValues:
    def test_stay_as_they_were(self, imported, row):
        imported(FIRST)
        imported("malformed/bad_rows.csv", confirmed=True)
        assert row("900045", "pupils") == (202,)
        assert row("900871", "opened_on, closed_on") == (date(1978, 9, 1), date(2013, 8, 31))
        assert row("901631", "opened_on") == (None,)

    def test_are_blank_in_a_new_row(self, imported, row):
        imported("malformed/bad_rows.csv")
        assert row("900045", "pupils, capacity") == (None, 222)
        assert row("900871", "opened_on, closed_on") == (None, date(2013, 8, 31))

    def test_leave_skipped_rows_alone_and_not_gone(self, imported, row):
        imported(FIRST)
        report = imported("malformed/bad_rows.csv", confirmed=True)
        assert row("901195", "name, missing_since") == ("Mixen Lane Community Primary School", None)
        assert row("901176", "missing_since") == (None,)
        assert not {"901176", "901195", "900389"} & set(report.gone)

    def test_are_reported(self, imported):
        assert [problem.line for problem in imported("malformed/bad_rows.csv").problems] == [
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
        ]

    def test_of_a_column_that_the_file_lacks_stay_too(self, imported, edited, row):
        imported(FIRST)
        named = {'"Town"': '"Town no more"', '"NumberOfPupils"': '""'}

        def without_columns(number: int, line: str) -> str:
            for name, other in named.items() if number == 1 else ():
                line = line.replace(name, other)
            return line.replace("St Mary's Cresscombe", "Saint Mary's Cresscombe")

        without = edited(FIRST, without_columns)
        assert counts(imported(without)) == {"rows": 779, "changed": 1, "unchanged": 778}
        assert row("900908", "name, town, pupils") == (
            "Saint Mary's Cresscombe Catholic Primary School", "Cresscombe", 157,
        )  # fmt: skip


def gone(line: str) -> None:
    return None


def closed(line: str) -> str:
    return line.replace('"1","Open"', '"2","Closed"').replace('"3","Open, but proposed to close"', '"2","Closed"')


def moved(line: str) -> str:
    return line.replace('"002","Borchester"', '"004","Hillsborough-on-Sea"', 1)


class TestAsksFirst:
    """Barsetshire has 333 open schools, Casterbridge 217, Borchester 76, Hillsborough 64, Brythonwick 1."""

    @pytest.fixture
    def losing(self, edited, gias):
        """`losing(number, code, change)` is the first file after `change` of so many of an authority's open schools."""

        def make(wanted: int, code: str, change: Any) -> Any:
            left = [wanted]

            def one(number: int, line: str) -> str | None:
                is_open = '"1","Open"' in line or '"3","Open, but' in line
                if not left[0] or not is_open or not line.startswith(f'"{line[1:7]}","{code}",'):
                    return line
                left[0] -= 1
                return change(line)

            path = edited(FIRST, one)
            assert left == [0]
            return path

        return make

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (gone, "0 close, 0 move and 8 go missing of 76"),
            (closed, "8 close, 0 move and 0 go missing of 76"),
            (moved, "0 close, 8 move and 0 go missing of 76"),
        ],
        ids=["gone", "closed", "moved"],
    )
    def test_before_an_authority_loses_more_than_a_tenth_of_its_schools(
        self, imported, losing, whole_register, change, words
    ):
        imported(FIRST)
        assert imported(losing(7, "002", change)).rows == 779 - 7 * (change is gone)
        imported(FIRST)
        before = whole_register()
        with pytest.raises(NeedsConfirmation) as asked:
            imported(losing(8, "002", change))
        assert str(asked.value) == (
            "More than 10 per cent of the open schools of an authority would close, move to another authority or go "
            f"missing. Borchester (002): {words}. Check that this is the whole register."
        )
        assert whole_register() == before
        imported(losing(8, "002", change), confirmed=True)
        assert whole_register() != before

    def test_once_about_a_school_that_is_missing(self, imported, losing):
        imported(FIRST)
        without = losing(1, "005", gone)
        with pytest.raises(NeedsConfirmation, match=r"Brythonwick \(005\): 0 close, 0 move and 1 go missing of 1"):
            imported(without)
        assert imported(without, confirmed=True).gone == imported(without).gone

    def test_before_an_older_file(self, imported, whole_register):
        imported(FIRST)
        imported(LATER)
        before = whole_register()
        with pytest.raises(NeedsConfirmation) as asked:
            imported(FIRST)
        assert str(asked.value) == (
            "This file is of 20 November 2026, older than edubasealldata20261127.csv of 27 November 2026, which has "
            "been imported: schools would go back to what they were then."
        )
        assert whole_register() == before
        assert counts(imported(FIRST, confirmed=True)) == {"rows": 779, "changed": 6, "unchanged": 773, "gone": 1}

    def test_of_both_at_once(self, imported, edited):
        imported(LATER)
        older = edited(FIRST, lambda number, line: line if number < 3 else None, called=FIRST)
        with pytest.raises(NeedsConfirmation) as asked:
            imported(older)
        assert len(asked.value.reasons) == 2

    def test_nothing_of_an_undated_file(self, imported, gias, edited):
        imported(LATER)
        assert imported(edited(LATER, lambda number, line: line)).unchanged == 779


class TestLinks:
    def test_are_stored(self, imported, owner):
        report = imported(FIRST, links=LINKS).links
        assert (report.rows, report.new, report.changed, report.removed, report.skipped) == (35, 35, 0, 0, 0)
        assert owner.execute(
            "SELECT link_urn, link_type, established_on FROM tenants_establishmentlink WHERE urn = '901929' ORDER BY 1"
        ).fetchall() == [
            ("901933", "Successor - Split School", date(2022, 9, 1)),
            ("901935", "Successor - Split School", date(2022, 9, 1)),
        ]

    def test_of_the_whole_country_are_stored_once(self, imported, owner):
        places = "SELECT ctid, xmin FROM tenants_establishmentlink ORDER BY id"
        assert imported(FIRST, links=REAL_LINKS).links.new == 33_801
        before = owner.execute(places).fetchall()
        again = imported(FIRST, links=REAL_LINKS).links
        assert (again.new, again.changed, again.removed) == (0, 0, 0)
        assert owner.execute(places).fetchall() == before

    def test_of_urns_in_the_file_are_replaced_and_others_kept(self, imported, owner, edited, gias):
        imported(FIRST, links=LINKS)
        changed = edited(
            LINKS,
            lambda number, line: {
                2: '"901862","901866","Same","Successor","02-04-2024"\r\n',  # another date
                3: '"901866","901862","Same","Predecessor - merged",""\r\n',  # another kind
                4: '"901867","901870","Same","Successor",""\r\n',  # the date left out
                5: None,
            }.get(number, line),
        )
        report = imported(FIRST, links=changed).links
        assert (report.rows, report.new, report.changed, report.removed) == (34, 1, 1, 1)
        kept = owner.execute(
            "SELECT urn, link_type, established_on FROM tenants_establishmentlink "
            "WHERE urn IN ('901862', '901866', '901867', '901870') ORDER BY urn"
        ).fetchall()
        assert kept == [
            ("901862", "Successor", date(2024, 4, 2)),
            ("901866", "Predecessor - merged", None),
            ("901867", "Successor", date(2024, 4, 1)),
            ("901870", "Predecessor", date(2024, 4, 1)),
        ]

    def test_that_cannot_be_read_undo_the_whole_import(self, imported, whole_register, gias, tmp_path):
        cut = tmp_path / "links.csv"
        cut.write_bytes((gias / LINKS).read_bytes()[:-20])
        assert read_links(cut)
        with pytest.raises(NotTheRegister):
            imported(FIRST, links=cut)
        assert whole_register() == []
