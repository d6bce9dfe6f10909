"""May white words stand on this colour? The rule of WCAG 2, by arithmetic."""

import re

OURS = "#0d5257"
"""The colour of an authority that has chosen none."""

LEAST_CONTRAST = 4.5
WHITE = "#ffffff"


def is_colour(text: str) -> bool:
    """Six hexadecimal digits after a #, in lower case."""
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def contrast(one: str, other: str = WHITE) -> float:
    """From 1 (the same) to 21 (black and white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def carries_white(colour: str) -> bool:
    return contrast(colour) >= LEAST_CONTRAST


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
