"""Addresses that look like others are refused; plain ones come out in one form."""

import pytest

from handrail.accounts.addresses import LONGEST, LOOK_ALIKE, NO_ADDRESS, NotAnEmailAddress, plain_address


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("head@oak.example", "head@oak.example"),
        ("  Head@OAK.Example \n", "head@oak.example"),
        ("o'neill+oak@sub.oak-school.example", "o'neill+oak@sub.oak-school.example"),
        ("ｈｅａｄ＠ｏａｋ．ｅｘａｍｐｌｅ", "head@oak.example"),  # wide letters, as some keyboards type them
        ("o\ufb03ce@oak.example", "office@oak.example"),  # a ligature that a PDF was copied with
        ("\u212aate@oak.example", "kate@oak.example"),  # the sign for kelvin
    ],
)
def test_one_form(typed, plain):
    assert plain_address(typed) == plain


@pytest.mark.parametrize(
    "typed",
    [
        "he\u0430d@oak.example",  # Cyrillic a
        "\u0440\u0430\u0443@oak.example",  # all Cyrillic, reads "pay"
        "adm\u0131n@oak.example",  # dotless i: PostgreSQL's upper() makes it I
        "head\u0455@oak.example",
        "he\u0301ad@oak.example",
        "head\u200b@oak.example",  # a space of no width
        "\u202ehead@oak.example",  # written from the right
        "head@\u043eak.example",
        "head@xn--ak-uxc.example",
        "head@XN--AK-UXC.example",
        "head@mail.xn--ak-uxc.example",
        "müller@oak.example",
    ],
)
def test_letters_that_look_like_others(typed):
    with pytest.raises(NotAnEmailAddress, match=LOOK_ALIKE):
        plain_address(typed)


@pytest.mark.parametrize("typed", ["", "head", "head@", "@oak.example", "a b@oak.example", "head@oak", "a@b@c.example"])
def test_no_address(typed):
    with pytest.raises(NotAnEmailAddress, match=NO_ADDRESS):
        plain_address(typed)


def test_too_long_and_never_repeated():
    with pytest.raises(NotAnEmailAddress) as refused:
        plain_address("x" * 5_000_000 + "@oak.example")
    assert str(refused.value) == f"E-mail address must be {LONGEST} characters or fewer"
