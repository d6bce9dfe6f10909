"""CSV files that cannot harm whoever opens them."""

from datetime import date

import pytest

from handrail.core.spreadsheet import csv_file, harmless


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("St Mary's", "St Mary's"),
        ("a=b", "a=b"),
        (-1, "-1"),
        (0, "0"),
        ("", ""),
        (None, ""),
        (date(2026, 11, 23), "2026-11-23"),
    ],
)
def test_a_text_that_would_run_is_made_harmless(value, text):
    assert harmless(value) == text


def test_a_file_begins_with_a_mark_and_keeps_every_letter():
    response = csv_file("list.csv", ["Näme", "B"], [['a "quoted", one', None], ["Łódź", 2]])
    assert b"".join(response.streaming_content).decode("utf-8") == (
        '\ufeffNäme,B\r\n"a ""quoted"", one",\r\nŁódź,2\r\n'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_a_long_list_does_not_stay_in_memory():
    response = csv_file("list.csv", ["A"], (["x" * 1000] for _ in range(2000)))
    assert response.file_to_stream._rolled
    assert sum(map(len, response.streaming_content)) > 2_000_000
