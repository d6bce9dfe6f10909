"""Which colours white words may stand on."""

import pytest

from handrail.authority.colour import OURS, carries_white, contrast, is_colour


@pytest.mark.parametrize(
    ("colour", "ratio"),
    [("#000000", 21.0), ("#ffffff", 1.0), ("#777777", 4.48), ("#767676", 4.54), ("#ff0000", 4.0), ("#0000ff", 8.59)],
)
def test_contrast_against_white(colour, ratio):
    assert contrast(colour) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("colour", "carries"), [("#777777", False), ("#767676", True), (OURS, True), ("#ffdd00", False)]
)
def test_white_needs_four_and_a_half(colour, carries):
    assert carries_white(colour) is carries


@pytest.mark.parametrize("text", ["", "0d5257", "#0d525", "#0D5257", "#0d5257;}body{", "red", "#0d52577", "#0d5257\n"])
def test_what_is_no_colour(text):
    assert not is_colour(text)
