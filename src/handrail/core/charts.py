"""Charts as plain SVG: no library, no script, no inline style, the same on paper.

The numbers themselves always stand in a table beside the drawing.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10

from markupsafe import Markup

COLOURS = ("#12436D", "#28A197", "#801650", "#F46A25")
DASHES = ("none", "8 4", "2 4", "10 3 2 3")

LETTER, APART = 8, 6
"""Pixels that a letter of a label takes on the average, and that stay free between two labels."""


def bar(
    value: float, maximum: float, *, width: str | int = "100%", height: int = 18, colour: str = COLOURS[0]
) -> Markup:
    """A bar as long as `value` is of `maximum`; hidden from screen readers, because the number is in the table.

    `width` is that of a bar at the maximum: "100%" of the cell, or a number of pixels. A value above nought is
    never drawn so short that it cannot be seen.
    """
    share = 0.0 if maximum <= 0 else max(0.0, min(1.0, value / maximum)) * 100
    if value > 0:
        share = max(share, 1.0)
    return Markup(
        '<svg class="app-bar" width="{}" height="{}" aria-hidden="true" focusable="false">'
        '<rect width="{:.1f}%" height="{}" fill="{}"/></svg>'
    ).format(width, height, share, height, colour)


def line(labels: Sequence[str], series: Mapping[str, Sequence[float]], *, description: str) -> Markup:
    """One or more lines from nought up, drawn twice: wide for a desk, narrow for a phone, in the same size of text.

    Every line has its own colour, its own dashes and its own name, so that colour is never the only difference.
    `description` says in words what the lines show.
    """
    return _drawing(labels, series, description, narrow=False) + _drawing(labels, series, description, narrow=True)


def _drawing(labels: Sequence[str], series: Mapping[str, Sequence[float]], description: str, *, narrow: bool) -> Markup:
    width, height = (280, 240) if narrow else (720, 280)
    named = len(series) > 1
    left, bottom = 40, 30
    right = 130 if named and not narrow else 24
    top = 14 + (20 * len(series) if named and narrow else 0)
    ticks = _ticks(max((value for values in series.values() for value in values), default=0))
    last = max(len(labels) - 1, 1)

    def x(index: int) -> float:
        return left + (width - left - right) * index / last

    def y(value: float) -> float:
        return height - bottom - (height - top - bottom) * value / ticks[-1]

    parts = [
        Markup('<path d="M{} {:.1f}H{}" stroke="{}"/><text x="{}" y="{:.1f}" text-anchor="end">{:,}</text>').format(
            left, y(tick), width - right, "#cecece" if tick else "#0b0c0c", left - 8, y(tick) + 5, tick
        )
        for tick in ticks
    ]
    parts += [
        Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            x(index), height - 8, _anchor(index, len(labels)), labels[index]
        )
        for index in _shown([_span(x(index), label, _anchor(index, len(labels))) for index, label in enumerate(labels)])
    ]
    parts += [
        Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>').format(
            " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(values)),
            COLOURS[place % len(COLOURS)],
            DASHES[place % len(DASHES)],
        )
        for place, values in enumerate(series.values())
    ]
    if named:
        parts.append(_key(list(series)) if narrow else _names(series, x(last), y))
    return Markup(
        '<svg class="app-chart app-chart--{}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"'
        ' focusable="false">{}</svg>'
    ).format("narrow" if narrow else "wide", width, height, width, height, description, Markup("").join(parts))


def _key(names: Sequence[str]) -> Markup:
    """The lines' names in rows above a narrow drawing."""
    return Markup("").join(
        Markup(
            '<path d="M4 {}h28" stroke="{}" stroke-width="3" stroke-dasharray="{}"/><text x="40" y="{}">{}</text>'
        ).format(10 + 20 * place, COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)], 15 + 20 * place, name)
        for place, name in enumerate(names)
    )


def _names(series: Mapping[str, Sequence[float]], end: float, y: Callable[[float], float]) -> Markup:
    """Each line's name at its end, moved down where two would touch."""
    ends = sorted(
        (y(values[-1]) if values else y(0), place, name) for place, (name, values) in enumerate(series.items())
    )
    parts, free = [], float("-inf")
    for height, place, name in ends:
        free = max(height, free + 18)
        parts.append(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="5" fill="{}"/><text x="{:.1f}" y="{:.1f}">{}</text>').format(
                end + 12, free, COLOURS[place % len(COLOURS)], end + 22, free + 5, name
            )
        )
    return Markup("").join(parts)


def _ticks(highest: float) -> list[int]:
    """Round whole numbers from nought to `highest` or a little above, at most six of them."""
    whole = max(ceil(highest), 1)
    power = 10 ** floor(log10(whole))
    sizes = (max(1, power * part // 10) for part in (1, 2, 5, 10, 20))
    size = next(size for size in sizes if whole <= 5 * size)
    return [size * count for count in range(ceil(whole / size) + 1)]


def _span(x: float, label: str, anchor: str) -> tuple[float, float]:
    """From where to where a label reaches, in pixels; the letters of a month and its year are narrower than this."""
    width = LETTER * len(label)
    begins = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return begins, begins + width


def _shown(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Which labels to print so that they do not touch: the first, the last and between them each that has room."""
    shown, last = [0], len(spans) - 1
    for index in range(1, last):
        begins, ends = spans[index]
        if spans[shown[-1]][1] + APART <= begins and ends + APART <= spans[last][0]:
            shown.append(index)
    return sorted({*shown, last}) if spans else []


def _anchor(index: int, count: int) -> str:
    """Where a label hangs from its point, so that the outer ones stay inside the drawing."""
    if index == 0:
        return "start"
    return "end" if index == count - 1 else "middle"
