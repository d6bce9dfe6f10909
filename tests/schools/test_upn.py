"""Unique pupil numbers: which are well formed, and which are worth a second look."""

import pytest

from handrail.schools.upn import LETTERS, NotAUpn, check_letter, read

VALID = (
    *("B801200005001", "K820432112001", "K942200126001", "D943200126002", "T940100025123", "P330200109013"),
    "K310200121000",
)
TEMPORARY = "M80120000500A"


class TestRead:
    @pytest.mark.parametrize("text", [*VALID, TEMPORARY])
    def test_takes_what_is_right(self, text):
        upn = read(text)
        assert (upn.text, upn.authority, upn.warning) == (text, text[1:4], "")
        assert upn.is_temporary == (text == TEMPORARY)

    @pytest.mark.parametrize("typed", ["b801200005001", " B801 2000 05001 ", "B801200005001\n"])
    def test_makes_good_how_it_is_typed(self, typed):
        assert read(typed).text == "B801200005001"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("A801200005001", "does not fit"),
            ("B801200005010", "does not fit"),
            ("I801200005001", "a letter and 12 numbers"),
            ("X80120000A001", "a letter and 12 numbers"),
            ("M80120000500I", "a letter and 12 numbers"),
            ("B80120000500\u0661", "a letter and 12 numbers"),
            ("B80120000500\u00b2", "a letter and 12 numbers"),
            ("8012000050011", "a letter and 12 numbers"),
            ("B80120000500", "13 characters"),
            ("B8012000050011", "13 characters"),
            ("", "13 characters"),
        ],
    )
    def test_says_what_is_wrong(self, text, words):
        with pytest.raises(NotAUpn, match=words):
            read(text)

    def test_finds_every_single_wrong_character(self):
        for place in range(1, 13):
            for digit in "0123456789":
                wrong = VALID[0][:place] + digit + VALID[0][place + 1 :]
                if wrong != VALID[0]:
                    with pytest.raises(NotAUpn):
                        read(wrong)

    @pytest.mark.parametrize(
        ("code", "warned"),
        [("000", True), ("006", True), ("112", True), ("001", False), ("005", False), ("909", False), ("999", False)],
    )
    def test_warns_of_an_authority_that_never_was_and_refuses_none(self, code, warned):
        rest = f"{code}200026001"
        assert bool(read(check_letter(f"?{rest}") + rest).warning) == warned


class TestCheckLetter:
    @pytest.mark.parametrize(
        ("text", "total"),
        list(zip([*VALID, TEMPORARY], [93, 124, 147, 164, 177, 174, 55, 80], strict=True)),
    )
    def test_is_the_published_sum(self, text, total):
        assert check_letter(text) == LETTERS[total % 23] == text[0]
