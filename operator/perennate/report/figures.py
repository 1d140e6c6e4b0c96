"""Histograms and effect scales as inline SVG, without scripts and readable without colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from perennate.drift.profile.dates import clock_text, date_text
from perennate.report.document import Cell, ColumnReport
from perennate.report.words import METHODS, bound, number, percent, size

_FORMATS: Mapping[str | None, Callable[[float], str]] = {"date": date_text, "timeOfDay": clock_text}
WIDTH, HEIGHT = 340.0, 140.0
TOP, BOTTOM = 8.0, 22.0
BARS = 24
"""Number of bars of equal width that replace many narrow bins."""
MANY = 20
"""Up to this many bins are shown as they are."""
MOST_CATEGORIES = 10
ROW = 20.0
LABEL = 110.0
LONGEST = 17


@dataclass(frozen=True)
class Bar:
    """A pair of bars.

    Args:
        label: label of the bin or category.
        reference, current: share of the reference rows and of the current rows.
    """

    label: str
    reference: float
    current: float


def histogram(column: ColumnReport, position: int) -> Element | None:
    """Draw the histogram of reference and current rows; None without rows."""
    totals = sum(cell.reference for cell in column.cells), sum(cell.current for cell in column.cells)
    if not all(totals):
        return None
    if column.kind in {"categorical", "prediction"}:
        return _horizontal_bars(column, category_bars(column.cells, *totals), position)
    narrow = sum(cell.upper is not None and cell.lower is not None for cell in column.cells) > MANY
    bars = (
        equal_bars(column.cells, *totals, format_value=_FORMATS.get(column.compared_as, bound))
        if narrow
        else interval_bars(column.cells, *totals)
    )
    return _vertical_bars(column, bars, position, show_mark=narrow)


def category_bars(cells: tuple[Cell, ...], reference: int, current: int) -> list[Bar]:
    """The most frequent categories of either side, then the sum of the others, then unseen values."""
    *named, other = [Bar(cell.label, cell.reference / reference, cell.current / current) for cell in cells]
    by_size = sorted(named, key=lambda bar: -max(bar.reference, bar.current))
    kept, rest = by_size[:MOST_CATEGORIES], by_size[MOST_CATEGORIES:]
    kept.sort(key=lambda bar: (-bar.reference, -bar.current))
    if rest:
        sums = sum(bar.reference for bar in rest), sum(bar.current for bar in rest)
        kept.append(Bar(f"{len(rest)} more", *sums))
    return [*kept, other] if other.reference or other.current else kept


def interval_bars(cells: tuple[Cell, ...], reference: int, current: int) -> list[Bar]:
    """One pair of bars for each bin."""
    return [Bar(cell.label, cell.reference / reference, cell.current / current) for cell in cells]


def equal_bars(
    cells: tuple[Cell, ...], reference: int, current: int, format_value: Callable[[float], str] = bound
) -> list[Bar]:
    """Bars of equal width over the inner bins of the reference, and one at each end for all other values.

    Rows are assumed to be evenly distributed inside a bin.
    """
    low, high = middle(cells)
    step = (high - low) / BARS
    sums = [[0.0, 0.0] for _ in range(BARS + 2)]
    for cell in cells:
        for position, part in _parts(cell, low, high):
            sums[position][0] += part * cell.reference / reference
            sums[position][1] += part * cell.current / current
    ends = [low + step * position for position in range(BARS + 1)]
    labels = [f"up to {format_value(low)}", *(f"{format_value(a)} to {format_value(b)}" for a, b in pairwise(ends))]
    return [Bar(label, *pair) for label, pair in zip([*labels, f"above {format_value(high)}"], sums, strict=True)]


def middle(cells: tuple[Cell, ...]) -> tuple[float, float]:
    """The range of the bars of equal width: all bins but the outermost two."""
    inner = [cell for cell in cells if cell.lower is not None and cell.upper is not None]
    return float(inner[0].upper or 0.0), float(inner[-1].lower or 0.0)


def _parts(cell: Cell, low: float, high: float) -> list[tuple[int, float]]:
    """The bars that overlap with a bin, and the share of the bin in each."""
    if cell.upper is not None and cell.upper <= low:
        return [(0, 1.0)]
    if cell.lower is not None and cell.lower >= high:
        return [(BARS + 1, 1.0)]
    lower, upper = float(cell.lower or 0.0), float(cell.upper or 0.0)
    parts, step = [], (high - low) / BARS
    for position in range(BARS):
        start = low + step * position
        overlap = min(upper, start + step) - max(lower, start)
        if overlap > 0:
            parts.append((position + 1, overlap / (upper - lower)))
    return parts


def _svg(column: ColumnReport, position: int, height: float, words: str) -> Element:
    """An SVG image with title and description for screen readers."""
    svg = Element(
        "svg", {"viewBox": f"0 0 {WIDTH:g} {height:g}", "role": "img", "aria-labelledby": f"t{position} d{position}"}
    )
    SubElement(svg, "title", {"id": f"t{position}"}).text = f"Histogram of {column.name}"
    SubElement(svg, "desc", {"id": f"d{position}"}).text = words
    return svg


def _description(bars: list[Bar]) -> str:
    """Describe the largest differences in words."""
    largest = sorted(bars, key=lambda bar: -abs(bar.current - bar.reference))[:3]
    changes = (f"{bar.label}: {percent(bar.reference)} of the reference, {percent(bar.current)} now" for bar in largest)
    return "Largest differences: " + "; ".join(changes) + "."


def _vertical_bars(column: ColumnReport, bars: list[Bar], position: int, *, show_mark: bool) -> Element:
    """Vertical bars: filled bars for the reference, a line for the current rows."""
    svg = _svg(column, position, HEIGHT, _description(bars))
    top = max(max(bar.reference, bar.current) for bar in bars)
    wide, floor = WIDTH / len(bars), HEIGHT - BOTTOM
    scale = (floor - TOP) / top
    for index, bar in enumerate(bars):
        rect = _rect(svg, "ref", index * wide + 1, floor - bar.reference * scale, wide - 2, bar.reference * scale)
        SubElement(rect, "title").text = f"{bar.label}: {percent(bar.reference)} before, {percent(bar.current)} now"
    points = []
    for index, bar in enumerate(bars):
        height = f"{floor - bar.current * scale:.1f}"
        points += [f"{index * wide:.1f},{height}", f"{(index + 1) * wide:.1f},{height}"]
    SubElement(svg, "polyline", {"class": "cur", "points": " ".join(points)})
    _line(svg, "axis", 0, floor, WIDTH, floor)
    for x, anchor, label in ((0.0, "start", bars[0].label), (WIDTH, "end", bars[-1].label)):
        _text(svg, x, HEIGHT - 6, label, anchor)
    if column.mark is not None and show_mark:
        _mark(svg, column.mark, middle(column.cells), floor)
    return svg


def _mark(svg: Element, mark: float, ends: tuple[float, float], floor: float) -> None:
    """A line at the decision threshold of the model."""
    low, high = ends
    wide = WIDTH / (BARS + 2)
    if low < mark < high:
        x = wide + (mark - low) / (high - low) * wide * BARS
        _line(svg, "mark", x, TOP, x, floor)
        _text(svg, x, HEIGHT - 6, f"decision {number(mark)}", "middle")


def _horizontal_bars(column: ColumnReport, bars: list[Bar], position: int) -> Element:
    """Horizontal bars: a labelled pair for each category."""
    svg = _svg(column, position, ROW * len(bars) + 4, _description(bars))
    top = max(max(bar.reference, bar.current) for bar in bars)
    scale = (WIDTH - LABEL - 50) / top
    for index, bar in enumerate(bars):
        y = index * ROW + 2
        name = bar.label if len(bar.label) <= LONGEST else f"{bar.label[: LONGEST - 1]}…"
        _text(svg, LABEL - 6, y + 13, name, "end")
        _rect(svg, "ref", LABEL, y + 1, bar.reference * scale, 8)
        _rect(svg, "now", LABEL, y + 10, bar.current * scale, 6)
        _text(svg, LABEL + max(bar.reference, bar.current) * scale + 5, y + 13, percent(bar.current), "start")
    return svg


def scale(column: ColumnReport) -> Element:
    """Draw the effect on a scale from 0 to twice the threshold, with the thresholds of warning and drift."""
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH:g} 32", "aria-hidden": "true"})
    per_effect = WIDTH / (2 * column.threshold)
    _rect(svg, "track", 0, 8, WIDTH, 8)
    _rect(svg, f"fill {column.verdict}", 0, 8, min(max(column.effect, 0.0) * per_effect, WIDTH), 8)
    for level, words in ((column.warning, "warning"), (column.threshold, "drift")):
        _line(svg, "tick", level * per_effect, 4, level * per_effect, 20)
        _text(svg, level * per_effect + 3, 29, f"{words} {number(level)}", "start")
    _text(svg, WIDTH, 29, f"{METHODS.get(column.method, column.method)} {size(column.effect)}", "end")
    return svg


def _rect(svg: Element, style: str, x: float, y: float, width: float, height: float) -> Element:
    box = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(width, 0):.1f}", "height": f"{max(height, 0):.1f}"}
    return SubElement(svg, "rect", {"class": style, **box})


def _line(svg: Element, style: str, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    SubElement(svg, "line", {"class": style, **ends})


def _text(svg: Element, x: float, y: float, text: str, anchor: str) -> None:
    SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}).text = text
