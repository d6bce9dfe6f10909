"""Paper: a Typst document of ours and its data become a PDF that assistive technology can read (PDF/UA-1).

The data goes in beside the document as JSON and is never part of its source, so nothing that people typed is
understood as Typst. Only the typeface that we ship is used: a page looks the same on every machine. PDF/UA-1 has no
page with a letter that the typeface lacks, so that such letters are shown by a mark, and the paper says that they are.
A run of letters that is longer than a line is broken anywhere, so that none runs off the paper or over its neighbour.
"""

import json
import re
import struct
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import typst

FONTS = Path(__file__).parent / "fonts"

MARK, BULLET = "□", "•"
SAID = f"Some letters cannot be printed here and are shown as {MARK}."
OF_WORD = range(0xF000, 0xF100)
"""The private letters in which Word writes the bullets of its symbol typefaces."""
UNSEEN = re.compile(f"{MARK}[\u200c\u200d\ufe00-\ufe0f]+")
"""What joins or varies the letter before it, and has nothing to do beside a mark."""
NEVER = {0xFEFF}
"""What PDF/UA-1 forbids though the typeface has it."""

BREAKING = """#let breaking(longest, room, body) = {
  show regex("[^\\s/-]{" + str(longest) + ",}"): run => context {
    if measure(run).width > room { run.text.clusters().join(h(0.0001pt)) } else { run }
  }
  body
}
#show: breaking.with(25, 380pt)
#show table.cell: it => layout(size => breaking(int(calc.clamp(size.width / 7pt, 8, 25)), size.width - 10pt, it))
"""
"""What stands before every document. A word that is wider than its line, or than its column of a table without the gaps
at the sides, may be broken anywhere, and no other: only those of so many letters are measured. After / and - lines are
broken anyway. Between the letters is a gap that nobody sees, and that is not copied with them.
"""


def pdf(document: Path, data: dict[str, Any]) -> bytes:
    """The document as a PDF. It reads its data with `json(bytes(sys.inputs.data))`, and `printed` of it stands at the
    foot of each page: there it is said too where letters had to be shown by a mark.
    """
    shown = printable(data)
    if json.dumps(shown, ensure_ascii=False).count(MARK) > json.dumps(data, ensure_ascii=False).count(MARK):
        shown["printed"] += f" {SAID}"
    made: bytes = typst.compile(
        (BREAKING + document.read_text()).encode(),
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps(shown)},
    )
    return made


def printable(said: Any) -> Any:
    """The same data in letters that the typeface has."""
    match said:
        case str():
            return UNSEEN.sub(MARK, "".join(map(_shown, said)))
        case dict():
            return {name: printable(each) for name, each in said.items()}
        case list() | tuple():
            return [printable(each) for each in said]
    return said


@cache
def _shown(letter: str) -> str:
    """A letter as it is printed: itself, what it is made of, nothing where nobody would see it, or the mark."""
    if ord(letter) in OF_WORD:
        return BULLET
    if ord(letter) in _letters() or letter in "\t\n\r":
        return letter
    if unicodedata.category(letter) in ("Cc", "Cf"):
        return ""
    parts = unicodedata.normalize("NFKD", letter)
    return parts if all(ord(each) in _letters() for each in parts) else MARK


@cache
def _letters() -> frozenset[int]:
    """What every weight of the typeface that we ship can print."""
    return frozenset.intersection(*(_letters_of(each.read_bytes()) for each in FONTS.glob("*.ttf"))) - NEVER


def _letters_of(font: bytes) -> frozenset[int]:
    """The code points of a typeface: the groups of its character map in format 12 (OpenType specification, “cmap”)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    places = {tag: place for tag, _, place, _ in struct.iter_unpack(">4sIII", font[12 : 12 + 16 * tables])}
    start = places[b"cmap"]
    (maps,) = struct.unpack_from(">H", font, start + 2)
    found: set[int] = set()
    for _, _, place in struct.iter_unpack(">HHI", font[start + 4 : start + 4 + 8 * maps]):
        if struct.unpack_from(">H", font, start + place) == (12,):
            (groups,) = struct.unpack_from(">I", font, start + place + 12)
            first = start + place + 16
            for low, high, _ in struct.iter_unpack(">III", font[first : first + 12 * groups]):
                found.update(range(low, high + 1))
    return frozenset(found)
