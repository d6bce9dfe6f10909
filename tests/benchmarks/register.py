"""Importing 50,000 rows of the register, against a bare COPY of the same file and against importing it again."""

import csv
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from databases import connected, scratch
from django.db import connection
from measuring import timed

from tenants.register import import_register
from tenants.register_file import read_register

SAMPLE = Path(__file__).parent.parent / "data" / "gias" / "edubasealldata20261120.csv"
ROWS = 50_000
AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
LEAST_SPEED, MOST_AGAIN = 0.40, 0.80


def repeat_sample(path: Path) -> int:
    """Write the sample's rows again and again with new URNs; gives the number of columns."""
    with SAMPLE.open(encoding="cp1252", newline="") as sample, path.open("w", encoding="cp1252", newline="") as file:
        header, *rows = csv.reader(sample)
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        writer.writerows([str(100_000 + number), *row[1:]] for number, row in enumerate(islice(cycle(rows), ROWS)))
    return len(header)


def bare_copy(path: Path) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY bare FROM STDIN WITH (FORMAT csv, HEADER, ENCODING 'WIN1252')") as copy,
        path.open("rb") as file,
    ):
        while block := file.read(1 << 16):
            copy.write(block)


def imported(path: Path) -> None:
    report = import_register(connection.connection, read_register(path), at=AT)
    assert report.new + report.unchanged == ROWS, report.counts()


def main(say: Callable[[str], None]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        scratch("bench_register") as database,
        connected(database, "owner"),
    ):
        path = Path(folder) / "edubasealldata20261120.csv"
        width = repeat_sample(path)
        taken = []
        for _ in range(3):
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS bare")
                cursor.execute(f"CREATE TABLE bare ({', '.join(f'column_{number} text' for number in range(width))})")
                cursor.execute("TRUNCATE tenants_establishment, tenants_registerimport")
            taken.append([timed(partial(work, path)) for work in (bare_copy, imported, imported)])
        bare, first, again = (median(each) for each in zip(*taken, strict=True))
        say(f"{ROWS:,} rows, {path.stat().st_size / 1e6:.0f} MB: bare COPY {bare:.2f} s, import {first:.2f} s")
        say(f"the import runs at {bare / first:.0%} of the bare COPY's speed (at least {LEAST_SPEED:.0%})")
        say(f"importing it again takes {again:.2f} s, {again / first:.2f} of the first (at most {MOST_AGAIN:.2f})")
