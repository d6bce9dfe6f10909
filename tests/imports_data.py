"""Register files and starter spreadsheets for the tests of imports."""

import csv
import io
from pathlib import Path

SAMPLES = Path(__file__).parent / "data" / "gias"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def lines_of(name: str, *, count: int = 1, la_codes: tuple[str, ...] = (), renamed: str = "") -> str:
    """The first open schools of Barsetshire in a sample, perhaps given to other authorities or renamed."""
    rows = list(csv.DictReader(io.StringIO(sample(name).decode("cp1252"))))
    ours = [
        row
        for row in rows
        if row["LA (code)"] == "001"
        and row["EstablishmentStatus (code)"] == "1"
        and row["EstablishmentTypeGroup (code)"] == "4"
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row, code in zip(ours, la_codes or ("001",) * count, strict=False):
        writer.writerow({**row, "LA (code)": code, "EstablishmentName": renamed or row["EstablishmentName"]})
    return out.getvalue()
