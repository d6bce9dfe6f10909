"""Reading the register's files: what each sample holds, what is refused, what is said about faulty rows."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from django.core.files.uploadedfile import InMemoryUploadedFile, TemporaryUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from tenants.csv_file import MOST_PROBLEMS
from tenants.register_file import FIELDS, LinksFile, NotTheRegister, RegisterFile, read_links, read_register

HEADERS = [column.header for column in RegisterFile.columns]
OAK = {
    "URN": "900001",
    "LA (code)": "001",
    "LA (name)": "Barsetshire",
    "EstablishmentName": "Oak School",
    "TypeOfEstablishment (code)": "01",
    "EstablishmentTypeGroup (code)": "4",
    "EstablishmentStatus (code)": "1",
}


def written(
    *rows: dict[str, str], headers: list[str] = HEADERS, encoding: str = "cp1252", **style: object
) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.writer(text, **{"quoting": csv.QUOTE_ALL, **style})
    writer.writerow(headers)
    writer.writerows([[row.get(name, "") for name in headers] for row in rows])
    return io.BytesIO(text.getvalue().encode(encoding))


def only(file: RegisterFile) -> dict[str, object]:
    [row] = file.good_rows()
    return dict(zip(FIELDS, row, strict=True))


@pytest.mark.parametrize(
    ("name", "encoding", "rows", "good", "skipped", "problems", "file_date"),
    [
        ("edubasealldata20261120.csv", "cp1252", 779, 779, 0, 0, date(2026, 11, 20)),
        ("edubasealldata20261127.csv", "cp1252", 779, 779, 0, 0, date(2026, 11, 27)),
        ("real_rows_2018.csv", "utf-8", 4, 4, 0, 0, None),
        ("malformed/utf8_bom.csv", "utf-8", 12, 12, 0, 0, None),
        ("malformed/unquoted_slash_dates.csv", "cp1252", 12, 12, 0, 0, None),
        ("malformed/cut_at_a_row_end.csv", "cp1252", 40, 40, 0, 0, None),
        ("malformed/bad_rows.csv", "cp1252", 12, 6, 6, 9, None),
    ],
)
def test_sample_holds(gias, name, encoding, rows, good, skipped, problems, file_date):
    file = read_register(gias / name)
    assert len(file.good_rows()) == good
    assert (file.encoding, file.row_count, file.skipped, len(file.problems)) == (encoding, rows, skipped, problems)
    assert (file.name, file.file_date) == (Path(name).name, file_date)
    assert file.absent == ({"la_ons_code"} if name == "real_rows_2018.csv" else frozenset())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_urn_column", "This file has no URN column. Send the file as it was downloaded, with its first row"),
        ("error_page", "This is a web page, not a CSV file: the download failed. Download it again."),
        ("utf16", "This file is saved as UTF-16 (“Unicode text”). Save it as CSV UTF-8 and send it again."),
        ("nul_bytes", "This file is damaged: it holds NUL bytes. Get the file again."),
        ("truncated", "This file stops in the middle of a row (line 19). Get the file again and send it whole."),
        ("empty", "This file is empty. Get the file again and send it whole."),
        ("header_only", "This file has column names but no rows. Get the file again and send it whole."),
    ],
)
def test_malformed_sample_is_refused(gias, name, sentence):
    with pytest.raises(NotTheRegister) as refused:
        read_register(gias / "malformed" / f"{name}.csv").good_rows()
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"  \r\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "web page"),
        (b"PK\x03\x04rest", "ZIP file"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "no URN column"),
        (b"URN;LA (code)\n900001;001\n", "no URN column"),
        (b"URN,URN\n1,2\n", "2 URN columns"),
        (b"URN\n900001\n", "no LA (code) column"),
        (b'URN,"LA\n', "middle of a row (line 1)"),
        (b'"URN"x,LA\n1,2\n', "see line 1"),
        (b"URN,LA\rx,1\r", "see line 1"),
        (b"," * (1 << 20), "longer than a million bytes"),
    ],
)
def test_file_that_is_not_the_register_is_refused(content, sentence):
    with pytest.raises(NotTheRegister) as refused:
        read_register(io.BytesIO(content))
    assert sentence in str(refused.value)


class TestReading:
    def test_gives_each_value_its_type(self, gias):
        values = dict(zip(FIELDS, read_register(gias / "edubasealldata20261120.csv").good_rows()[0], strict=True))
        assert values == {
            "urn": "900908",
            "la_code": "002",
            "la_name": "Borchester",
            "establishment_number": "5477",
            "name": "St Mary's Cresscombe Catholic Primary School",
            "type_code": 1,
            "type_name": "Community school",
            "group_code": 4,
            "group_name": "LA maintained schools",
            "status_code": 1,
            "status_name": "Open",
            "opened_on": None,
            "closed_on": None,
            "phase_code": 2,
            "phase_name": "Primary",
            "low_age": 3,
            "high_age": 11,
            "pupils": 157,
            "capacity": 172,
            "trust_code": "",
            "trust_name": "",
            "street": values["street"],
            "locality": "",
            "town": "Cresscombe",
            "county": "Borchester",
            "postcode": values["postcode"],
            "website": values["website"],
            "last_changed_on": values["last_changed_on"],
            "la_ons_code": "E06009002",
        }

    def test_reads_the_same_from_every_form_of_a_file(self, gias):
        full = {row[0]: row for row in read_register(gias / "edubasealldata20261120.csv")}
        for name in ("utf8_bom", "unquoted_slash_dates", "cut_at_a_row_end"):
            for row in read_register(gias / "malformed" / f"{name}.csv"):
                assert row == full[row[0]]

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
    def test_keeps_letters_beyond_ascii(self, encoding):
        row = {**OAK, "EstablishmentName": "École St Gréac’h"}
        assert only(read_register(written(row, encoding=encoding)))["name"] == "École St Gréac’h"

    def test_finds_columns_by_name(self):
        headers = [" urn ", "new column", "establishmentNAME", "la  (CODE)", *HEADERS[5:]]
        row = {**OAK, " urn ": "900001", "establishmentNAME": "Oak School", "la  (CODE)": "001"}
        file = read_register(written(row, headers=headers))
        assert (only(file)["urn"], only(file)["la_code"], only(file)["name"]) == ("900001", "001", "Oak School")
        assert file.absent == {"la_name", "establishment_number"}

    def test_reads_absent_columns_as_blank(self):
        file = read_register(written(OAK, headers=list(OAK)))
        assert file.absent == set(FIELDS) - {
            "urn", "la_code", "la_name", "name", "type_code", "group_code", "status_code",
        }  # fmt: skip
        assert (only(file)["town"], only(file)["pupils"], only(file)["opened_on"]) == ("", None, None)

    def test_restores_leading_zeros(self):
        values = only(read_register(written({**OAK, "LA (code)": "1", "EstablishmentNumber": "27"})))
        assert (values["la_code"], values["establishment_number"], values["type_code"]) == ("001", "0027", 1)

    def test_makes_blanks_and_line_breaks_one_space(self):
        row = {**OAK, "EstablishmentName": '  Oak\r\nSchool,\u00a0 “The\tBig” "one"'}
        assert only(read_register(written(row)))["name"] == 'Oak School, “The Big” "one"'

    def test_keeps_a_formula_as_text(self, gias):
        rows = {row[0]: row for row in read_register(gias / "malformed" / "bad_rows.csv").good_rows()}
        assert rows["900702"][FIELDS.index("name")] == '=HYPERLINK("http://evil.example","x")'

    def test_can_be_read_twice(self, gias):
        file = read_register(gias / "malformed" / "bad_rows.csv")
        assert file.good_rows() == file.good_rows()
        assert len(file.problems) == 9

    def test_reads_an_upload_and_leaves_it_open(self, gias):
        path = gias / "edubasealldata20261120.csv"
        small = InMemoryUploadedFile(io.BytesIO(path.read_bytes()), "f", path.name, "text/csv", 1, None)
        large = TemporaryUploadedFile(path.name, "text/csv", 1, None)
        large.write(path.read_bytes())
        for upload in (small, large):
            file = read_register(upload)
            assert (len(file.good_rows()), file.file_date) == (779, date(2026, 11, 20))
            assert not upload.closed

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("edubasealldata20261120.csv", date(2026, 11, 20)),
            ("20269999 edubasealldata20250422 (1).csv", date(2025, 4, 22)),
            ("edubasealldata20261320.csv", None),
            ("1120261120.csv", None),
        ],
    )
    def test_finds_the_date_in_the_name(self, tmp_path, name, expected):
        (tmp_path / name).write_bytes(written(OAK).getvalue())
        assert read_register(tmp_path / name).file_date == expected


class TestProblems:
    def test_names_every_faulty_row_of_the_sample(self, gias):
        file = read_register(gias / "malformed" / "bad_rows.csv")
        file.good_rows()
        told = [(it.line, it.key, it.column, it.value, it.is_skipped) for it in file.problems]
        assert told == [
            (3, "12A456", "URN", "12A456", True),
            (4, "", "URN", "", True),
            (5, "901176", "URN", "901176", True),
            (6, "901176", "URN", "901176", True),
            (7, "900045", "NumberOfPupils", "abc", False),
            (8, "900871", "OpenDate", "31-02-2020", False),
            (9, "901195", "EstablishmentName", "", True),
            (10, "900389", "LA (code)", "", True),
            (11, "901631", "OpenDate", "2020/01/05", False),
        ]
        assert file.skipped_keys == {"901176", "901195", "900389"}
        assert file.doubtful == {"pupils": {"900045"}, "opened_on": {"900871", "901631"}}

    @pytest.mark.parametrize(
        ("header", "value", "rule", "is_skipped"),
        [
            ("URN", "90001", "This must be exactly 6 digits", True),
            ("URN", "9000011", "This must be exactly 6 digits", True),
            ("URN", "९०००००", "This must be exactly 6 digits", True),
            ("LA (code)", "1000", "This must be at most 3 digits", True),
            ("LA (code)", "E01", "This must be at most 3 digits", True),
            ("EstablishmentName", "x" * 201, "This must have at most 200 characters", True),
            ("EstablishmentStatus (code)", "Open", "This must be a whole number from 0 to 32767", True),
            ("TypeOfEstablishment (code)", "", "This must not be blank", True),
            ("EstablishmentNumber", "12345", "This must be at most 4 digits", False),
            ("NumberOfPupils", "-1", "This must be a whole number from 0 to 2147483647", False),
            ("NumberOfPupils", "2147483648", "This must be a whole number from 0 to 2147483647", False),
            ("NumberOfPupils", "²", "This must be a whole number from 0 to 2147483647", False),
            ("OpenDate", "29-02-2023", "This must be a real date written dd-mm-yyyy or dd/mm/yyyy", False),
            ("OpenDate", "01-02/2023", "This must be a real date written dd-mm-yyyy or dd/mm/yyyy", False),
            ("OpenDate", "00-00-0000", "This must be a real date written dd-mm-yyyy or dd/mm/yyyy", False),
            ("Town", "Ux\ufffdbridge", "This has a character that cannot be read", False),
        ],
    )
    def test_says_which_rule_was_broken(self, header, value, rule, is_skipped):
        file = read_register(written({**OAK, header: value}, encoding="utf-8"))
        assert len(file.good_rows()) == (0 if is_skipped else 1)
        [problem] = file.problems
        outcome = "the row was skipped" if is_skipped else "the value held before was left"
        assert problem.advice == f"{rule}; {outcome}: correct it and send the file again."
        assert (problem.line, problem.column, problem.is_skipped) == (2, header, is_skipped)

    def test_reports_a_byte_that_is_no_letter(self):
        content = written({**OAK, "Town": "Ux@bridge"}).getvalue().replace(b"@", b"\x81")
        file = read_register(io.BytesIO(content))
        assert only(file)["town"] == ""
        assert [problem.value for problem in file.problems] == ["Ux\ufffdbridge"]

    def test_counts_lines_as_an_editor_does(self):
        broken = {**OAK, "EstablishmentName": "Two\r\nlines"}
        rows = [{**OAK, "URN": "900001"}, {**broken, "URN": "900002"}, {**OAK, "URN": "x"}]
        content = written(*rows).getvalue().replace(b'"900002"', b'\r\n\r\n"900002"')
        file = read_register(io.BytesIO(content))
        assert len(file.good_rows()) == 2
        assert [problem.line for problem in file.problems] == [7]

    def test_skips_a_row_of_another_length_in_the_middle(self):
        content = written(OAK, {**OAK, "URN": "900002"}, {**OAK, "URN": "900003"}).getvalue()
        lines = content.split(b"\r\n")
        lines[2] += b',"one more"'
        lines[1] = lines[1][: lines[1].rindex(b",")]
        file = read_register(io.BytesIO(b"\r\n".join(lines)))
        assert [row[0] for row in file.good_rows()] == ["900003"]
        assert [(it.line, it.key, it.value) for it in file.problems] == [
            (2, "900001", "28 values"),
            (3, "900002", "30 values"),
        ]
        assert file.skipped_keys == {"900001", "900002"}

    def test_takes_a_short_last_row_for_a_cut_off_file(self):
        content = written(OAK, {**OAK, "URN": "900002"}).getvalue()
        with pytest.raises(NotTheRegister, match=r"middle of a row \(line 3\)"):
            read_register(io.BytesIO(content[: content.rindex(b",")])).good_rows()

    def test_skips_all_rows_of_a_repeated_urn(self):
        nameless = {**OAK, "EstablishmentName": ""}
        file = read_register(written(OAK, OAK, {**OAK, "URN": "900002"}, OAK, nameless))
        assert [row[0] for row in file.good_rows()] == ["900002"]
        assert file.skipped == 4
        assert [it.advice.split(";")[0] for it in file.problems] == [
            "Line 3 has the same URN",
            "Line 2 has the same URN",
            "Line 2 has the same URN",
            "This must not be blank",
            "Line 2 has the same URN",
        ]

    def test_gives_up_on_a_file_of_nothing_but_problems(self):
        file = read_register(written(*[{**OAK, "URN": "x"}] * (MOST_PROBLEMS + 1)))
        with pytest.raises(NotTheRegister, match="more than 10,000 problems"):
            file.good_rows()


class TestLinksFile:
    @pytest.mark.parametrize(
        ("name", "rows", "undated"),
        [("links_edubasealldata20261120.csv", 35, 7), ("links_edubasealldata20250422.csv", 33_801, 8_253)],
    )
    def test_holds(self, gias, name, rows, undated):
        file = read_links(gias / name)
        found = file.good_rows()
        assert (len(found), file.problems) == (rows, [])
        assert sum(row[3] is None for row in found) == undated

    def test_is_not_taken_for_the_register(self, gias):
        with pytest.raises(NotTheRegister, match=r"no LA \(code\) column"):
            read_register(gias / "links_edubasealldata20261120.csv")
        with pytest.raises(NotTheRegister, match="no LinkURN column"):
            read_links(gias / "edubasealldata20261120.csv")

    def test_keeps_the_good_links_of_a_urn_with_a_bad_one(self):
        content = b"URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n" + (
            b"900001,900002,A,Successor,\n900001,x,B,Successor,\n900001,900003,C,Successor,32-01-2020\n"
        )
        file = LinksFile(io.BytesIO(content))
        assert [row[:2] for row in file.good_rows()] == [("900001", "900002"), ("900001", "900003")]
        assert [problem.line for problem in file.problems] == [3, 4]


START = written().getvalue()


@given(st.binary() | st.binary().map(lambda more: START + more) | st.binary().map(lambda more: START.rstrip() + more))
def test_any_bytes_are_read_or_refused(content):
    try:
        file = read_register(io.BytesIO(content))
        file.good_rows()
    except NotTheRegister as refused:
        assert str(refused).endswith(".")
    else:
        assert file.row_count == len(file.good_rows()) + file.skipped


names = st.text(
    st.characters(codec="cp1252", exclude_categories=["Cc"]) | st.sampled_from(list('",\n\t =')),
    min_size=1,
    max_size=60,
).filter(lambda name: name.strip())


@given(
    st.lists(names, min_size=1, max_size=5),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
)
def test_any_text_survives_any_quoting(given_names, quoting, ending, encoding):
    known = {**OAK, "LA (name)": "Barsetshiré"}  # in Windows-1252 no UTF-8, however the names turn out
    rows = [{**known, "URN": str(900001 + at), "EstablishmentName": name} for at, name in enumerate(given_names)]
    file = read_register(written(*rows, quoting=quoting, lineterminator=ending, encoding=encoding))
    found = [row[FIELDS.index("name")] for row in file.good_rows()]
    assert found == [" ".join(name.split()) for name in given_names]
