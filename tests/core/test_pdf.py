"""Paper holds whatever people type: letters that the typeface lacks, and those that Word and phones put into a text."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as some

import handrail
from handrail.core import pdf as paper
from handrail.plans.emergency import PARTS

SOURCES = Path(handrail.__path__[0])
HOSTILE = "\uf0b7 First \uf0a7 then \U0001f9d1\u200d\U0001f680 বাংলা العربية \ufeff\x07\x00\ufffe\ud800 #let *bold*"


def table(said):
    return {"title": f"Of {said}", "lead": said, "headings": [said, said], "rows": [[said, said]], "widths": [1, 2]}


def entry(said):
    return {"title": f"By {said}", "by": said, "facts": [(said, said)]}


def child(said):
    parts = {name: [said, said] for name in ("signs", "steps", "call_999", "never", "medicines", "contacts")}
    return dict.fromkeys(("name", "class", "about", "condition", "version"), said) | parts


DOCUMENTS = {
    "overview/paper/inspection.typ": lambda said: {"about": [said], "tables": [table(said)]},
    "plans/paper/emergency.typ": lambda said: {"parts": PARTS, "has_contents": True, "children": [child(said)]},
    "plans/paper/list.typ": lambda said: {
        "about": said,
        "headings": [said, said],
        "widths": [1, 2],
        "children": [[[said, said], [said]]],
        "kits": [[said] * 3],
        "first_aiders": [[said] * 3],
    },
    "records/paper/handover.typ": lambda said: {
        "as_at": str(date(2026, 11, 26)),
        "about": [(said, said)],
        "steps": [entry(said)],
        "packs": [entry(said)],
        "readings": [entry(said)],
        "follow_up": [entry(said)],
    },
    "absences/paper/log.typ": lambda said: {"about": [(said, said)], "returns": [said], "entries": [entry(said)]},
}


def made(document, said, **more):
    data = DOCUMENTS[document](said) | {"title": f"Of {said}", "authority": said, "printed": f"Printed by {said}."}
    file = paper.pdf(SOURCES / document, data | more)
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(file)).pages)


def words(document, said):
    return " ".join(made(document, said).split())


def test_every_document_is_tried():
    assert {str(each.relative_to(SOURCES)) for each in SOURCES.rglob("*.typ")} == set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
class TestEveryPaper:
    def test_holds_what_people_paste(self, document):
        text = words(document, HOSTILE)
        assert "• First • then □" in text
        assert paper.SAID in text
        assert "#let *bold*" in text

    def test_says_nothing_of_marks_where_all_can_be_printed(self, document):
        text = words(document, "• A choice with a mark □, Zoë, 5 ㎎")
        assert "mark □, Zoë, 5 mg" in text
        assert paper.SAID not in text

    @settings(max_examples=15, deadline=None)
    @given(said=some.text(max_size=40))
    def test_holds_any_text(self, document, said):
        made(document, said)

    def test_breaks_what_no_line_holds(self, document):
        said = "begins" + "abcdefghij" * 30 + "ends"
        text = made(document, said)
        assert max(map(len, text.splitlines())) < 200
        assert said in "".join(text.split())  # with nothing between the letters

    def test_breaks_no_word_that_a_line_holds(self, document):
        text = made(document, "Take phenoxymethylpenicillin. " * 40, has_contents=False)
        assert text.count("phenoxymethylpenicillin") == text.count("Take") > 40


def test_a_name_does_not_run_into_the_next_column():
    def said(*widths):
        table = {"title": "T", "lead": "", "headings": ["A", "B"], "rows": [["Featherstonehaugh", "x"]]}
        return made("overview/paper/inspection.typ", "x", tables=[table | {"widths": widths}])

    assert "Featherstonehaugh" in said(1, 2)
    narrow = said(1, 9)
    assert "Featherstonehaugh" not in narrow
    assert "Featherstonehaugh" in "".join(narrow.split())


def test_a_word_that_its_column_holds_is_not_broken():
    names = "Maria Papadopoulos", "Christopher Hetherington", "Elizabeth Throckmorton", "Mrs Featherstone"
    rows = [["x", "x", each, "x", "x"] for each in names]
    table = {"title": "T", "lead": "", "headings": ["A"] * 5, "rows": rows, "widths": [4, 4, 3, 4, 5]}
    text = made("overview/paper/inspection.typ", "x", tables=[table])
    assert [each for each in " ".join(names).split() if each not in text] == []


class TestTheLetters:
    def test_are_those_that_the_typeface_has(self):
        """The typesetter refuses what we think is missing, and takes what we think is there."""
        source = b"""#set document(title: "x")
            #set text(font: "DejaVu Sans", stretch: 75%)
            #sys.inputs.said *#sys.inputs.said*"""

        def takes(said):
            typst.compile(
                source,
                font_paths=[str(paper.FONTS)],
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=["ua-1"],
                sys_inputs={"said": said},
            )

        takes(" ".join(map(chr, sorted(paper._letters()))))
        for each in ("\uf0b7", "ব", "\ufeff", "\x07"):
            with pytest.raises(typst.TypstError):
                takes(f"a{each}b")

    def test_stay_as_they_are_where_they_can(self):
        assert paper.printable({"a": ["Zoë’s “first” half ½", ("Ωμέγα",)], "b": 3, "c": None}) == {
            "a": ["Zoë’s “first” half ½", ["Ωμέγα"]],
            "b": 3,
            "c": None,
        }

    @pytest.mark.parametrize(
        "typed, shown",
        [
            ("\uf0b7\tOne", "•\tOne"),
            ("\ufeffOne\x00\x07 two\r\n", "One two\r\n"),
            ("\u1d2cll ㎍ ⑴", "\u1d2cll μg (1)"),
            ("ব\U0001f9d1\u200d\U0001f680\ufe0f", "□□□"),
            ("\ud800\ufffe", "□□"),
        ],
    )
    def test_are_shown_as_near_as_can_be(self, typed, shown):
        assert paper.printable(typed) == shown
