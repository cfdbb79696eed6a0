"""Line charts as inline SVG, their legends in HTML so that names never lie over each other."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 480.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 10.0, 12.0, 42.0
COLOURS = ("#1f5fd0", "#d4680b", "#2a9d4e", "#a64ca6", "#8c2d04", "#0b8a9d", "#c2185b", "#6b7a00",
           "#555555", "#7b5cd6", "#b08900", "#00695c")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A line or a set of dots, in one colour for one name."""

    name: str
    x: Sequence[float | None]
    y: Sequence[float | None]
    colour: str
    dots: bool = False
    width: float = 1.6


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, from where to where."""

    title: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; what lies beyond is drawn at the end."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    @property
    def ticks(self) -> list[float]:
        """Round values, at most some seven."""
        if self.log:
            return _log_ticks(self.low, self.high)
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = len(decades) > 4
    found = [m * 10.0**n for n in decades for m in ((1,) if wide else (1, 2, 5))]
    return [value for value in found if low * 0.999 <= value <= high * 1.001]


def axis_around(title: str, values: Sequence[float | None], *, log: bool = False) -> Axis:
    """An axis on which all values find room."""
    known = [v for v in values if v is not None and (v > 0 or not log)]
    low, high = min(known, default=0.1), max(known, default=1.0)
    if log:
        return Axis(title, low / 1.3, high * 1.3, log=True)
    room = 0.06 * (high - low) or 1.0
    return Axis(title, low - room, high + room)


def chart(lines: Sequence[ChartLine], x: Axis, y: Axis, about: str) -> str:
    """An SVG as wide as its place; `about` is read to those who do not see it."""
    parts = [
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="{html.escape(about)}">',
        *(_vertical(x, value) for value in x.ticks),
        *(_horizontal(y, value) for value in y.ticks),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 6:.0f}" class="t">'
        f"{html.escape(x.title)}</text>",
        f'<text transform="translate(12 {(_TOP + _HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)" '
        f'class="t">{html.escape(y.title)}</text>',
    ]
    parts += [_drawn(line, x, y) for line in lines]
    return "".join(parts) + "</svg>"


def legend(names: Sequence[tuple[str, str]]) -> str:
    """Names with their colours; a click takes a line out of all charts of the section."""
    return (
        '<p class="legend">'
        + "".join(
            f'<button data-line="{html.escape(name)}"><i style="background:{colour}"></i>'
            f"{html.escape(name)}</button>"
            for name, colour in names
        )
        + "</p>"
    )


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _TOP - _BOTTOM)


def _vertical(axis: Axis, value: float) -> str:
    at = _x(axis, value)
    return (
        f'<path d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" class="g"/>'
        f'<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 15:.0f}" class="n">{value:.4g}</text>'
    )


def _horizontal(axis: Axis, value: float) -> str:
    at = _y(axis, value)
    return (
        f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}" class="g"/>'
        f'<text x="{_LEFT - 4}" y="{at + 4:.1f}" class="e">{value:.4g}</text>'
    )


def _drawn(line: ChartLine, x: Axis, y: Axis) -> str:
    places = [
        None if a is None or b is None else (_x(x, a), _y(y, b))
        for a, b in zip(line.x, line.y, strict=True)
    ]
    name = html.escape(line.name)
    inside = f"<title>{name}</title>"
    if line.dots:
        dots = (f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="{2 * line.width:.1f}"/>'
                for p in places if p)  # fmt: skip
        return f'<g data-line="{name}" fill="{line.colour}">{"".join(dots)}{inside}</g>'
    path, pen_up = [], True
    for place in places:
        if place is not None:
            path.append(f"{'M' if pen_up else 'L'}{place[0]:.1f} {place[1]:.1f}")
        pen_up = place is None
    return (
        f'<path data-line="{name}" d="{"".join(path)}" fill="none" stroke="{line.colour}" '
        f'stroke-width="{line.width}">{inside}</path>'
    )
