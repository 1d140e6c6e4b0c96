"""Histograms and effect scales as inline SVG, readable without colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from perennate.drift.profile.dates import clock_text, date_text
from perennate.report.axes import add_share_axis, add_value_axis, even, share_text, ticks
from perennate.report.document import Cell, ColumnReport
from perennate.report.shapes import add_line, add_rect, add_text, short
from perennate.report.words import METHODS, bound, number, percent, size

FORMATS: Mapping[str | None, Callable[[float], str]] = {"date": date_text, "timeOfDay": clock_text}
"""How values are written, by what is compared of a date."""
WIDTH, HEIGHT = 340.0, 150.0
TOP, BOTTOM, LEFT = 8.0, 22.0, 44.0
BARS = 24
"""Number of bars of equal width that replace many narrow bins."""
MANY = 20
"""Up to this many bins are shown as they are."""
MOST_CATEGORIES = 10
ROW = 20.0
LABEL = 110.0
LONGEST = 17
MOST_TICKS = 5


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


def histogram(column: ColumnReport, position: int, *, detailed: bool = True) -> Element | None:
    """Draw the histogram of reference and current rows; None without rows.

    Args:
        column: the column.
        position: its position in the report, for identifiers.
        detailed: whether each bar has a tooltip. It takes as much space as the rest of the image.
    """
    totals = sum(cell.reference for cell in column.cells), sum(cell.current for cell in column.cells)
    if not all(totals):
        return None
    if column.kind in {"categorical", "prediction"}:
        return _horizontal_bars(column, category_bars(column.cells, *totals), position)
    if sum(cell.upper is not None and cell.lower is not None for cell in column.cells) <= MANY:
        return _vertical_bars(column, interval_bars(column.cells, *totals), position, detailed=detailed)
    text = FORMATS.get(column.compared_as, bound)
    bars = equal_bars(column.cells, *totals, format_value=text)
    svg = _vertical_bars(column, bars, position, detailed=detailed)
    _add_ticks(svg, column, text)
    return svg


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


def _vertical_bars(column: ColumnReport, bars: list[Bar], position: int, *, detailed: bool) -> Element:
    """Vertical bars: filled bars for the reference, a line for the current rows."""
    svg = _svg(column, position, HEIGHT, _description(bars))
    top = max(max(bar.reference, bar.current) for bar in bars)
    wide, floor = (WIDTH - LEFT) / len(bars), HEIGHT - BOTTOM
    scale = (floor - TOP) / top
    add_share_axis(svg, LEFT, WIDTH, floor, floor - TOP, top)
    outline, points = [], []
    for index, bar in enumerate(bars):
        x, reference, current = LEFT + index * wide, bar.reference * scale, short(floor - bar.current * scale)
        if detailed:
            rect = add_rect(svg, "ref", x + 1, floor - reference, wide - 2, reference)
            SubElement(rect, "title").text = f"{bar.label}: {percent(bar.reference)} before, {percent(bar.current)} now"
        elif reference:
            outline.append(f"M{short(x + 1)},{short(floor)}v{short(-reference)}h{short(wide - 2)}v{short(reference)}")
        points += [f"{short(x)},{current}", f"{short(x + wide)},{current}"]
    if outline:
        SubElement(svg, "path", {"class": "ref", "d": "".join(outline)})
    SubElement(svg, "polyline", {"class": "cur", "points": " ".join(points)})
    if len(bars) <= MANY + 2:
        _add_labels(svg, column, bars, wide, floor)
    return svg


def _add_labels(svg: Element, column: ColumnReport, bars: list[Bar], wide: float, floor: float) -> None:
    """Label bars of single values in their middle, and ranges at their ends."""
    if any(" " in bar.label for bar in bars[1:-1]):
        ends = [(index, cell.upper) for index, cell in enumerate(column.cells[:-1], 1) if cell.upper is not None]
        place = {upper: LEFT + index * wide for index, upper in ends}
        step = -(-len(place) // MOST_TICKS)
        add_value_axis(svg, place.__getitem__, list(place)[::step], floor)
        return
    for index in range(0, len(bars), -(-len(bars) // (MOST_TICKS + 2))):
        add_text(svg, LEFT + (index + 0.5) * wide, floor + 16, bars[index].label, "middle")


def _add_ticks(svg: Element, column: ColumnReport, text: Callable[[float], str]) -> None:
    """Label the bars of equal width at round numbers, and mark the decision threshold of the model."""
    (low, high), floor, wide = middle(column.cells), HEIGHT - BOTTOM, (WIDTH - LEFT) / (BARS + 2)

    def place(value: float) -> float:
        """Position of a value."""
        return LEFT + wide + (value - low) / (high - low) * wide * BARS

    values = ticks(low, high, MOST_TICKS) if text is bound else even(low, high, 4)
    if column.mark is not None and low < column.mark < high:
        x = place(column.mark)
        add_line(svg, "mark", x, TOP, x, floor)
        add_text(svg, x, floor + 16, f"decision {number(column.mark)}", "middle")
        values = [value for value in values if abs(place(value) - x) > LABEL / 2 + 10]
    add_value_axis(svg, place, values, floor, text)


def _horizontal_bars(column: ColumnReport, bars: list[Bar], position: int) -> Element:
    """Horizontal bars: a labelled pair for each category."""
    svg = _svg(column, position, ROW * len(bars) + BOTTOM, _description(bars))
    top = max(max(bar.reference, bar.current) for bar in bars)
    scale, floor = (WIDTH - LABEL - 50) / top, ROW * len(bars) + 3
    for index, bar in enumerate(bars):
        y = index * ROW + 2
        name = bar.label if len(bar.label) <= LONGEST else f"{bar.label[: LONGEST - 1]}…"
        add_text(svg, LABEL - 6, y + 13, name, "end")
        add_rect(svg, "ref", LABEL, y + 1, bar.reference * scale, 8)
        add_rect(svg, "now", LABEL, y + 10, bar.current * scale, 6)
        add_text(svg, LABEL + max(bar.reference, bar.current) * scale + 5, y + 13, percent(bar.current))
    add_line(svg, "axis", LABEL, floor, LABEL + top * scale, floor)
    add_value_axis(svg, lambda share: LABEL + share * scale, ticks(0.0, top, 4), floor, share_text)
    return svg


def scale(column: ColumnReport) -> Element:
    """Draw the effect on a scale from 0 to twice the threshold, with the thresholds of warning and drift."""
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH:g} 32", "aria-hidden": "true"})
    per_effect = WIDTH / (2 * column.threshold)
    add_rect(svg, "track", 0, 8, WIDTH, 8)
    add_rect(svg, f"fill {column.verdict}", 0, 8, min(max(column.effect, 0.0) * per_effect, WIDTH), 8)
    for level, words in ((column.warning, "warning"), (column.threshold, "drift")):
        add_line(svg, "tick", level * per_effect, 4, level * per_effect, 20)
        add_text(svg, level * per_effect + 3, 29, f"{words} {number(level)}")
    add_text(svg, WIDTH, 29, f"{METHODS.get(column.method, column.method)} {size(column.effect)}", "end")
    return svg
