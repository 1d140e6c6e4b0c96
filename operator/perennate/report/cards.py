"""The cards of the page: one for each column, with its verdict, its histogram and its statistics."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from perennate.report.document import ColumnReport, DriftReport, Shares, Summary
from perennate.report.elements import add, add_chip, add_header
from perennate.report.figures import FORMATS, histogram, scale
from perennate.report.words import bound, percent, pluralize, unseen_words

PROMINENT = ("Drifted", "Warning")
CLUSTERED = 1.05
"""Design effect above which it is shown."""
MOST_DETAILED = 100
"""Cards whose bars have tooltips, which take half of the page."""
COMPARED = {"date": "the dates themselves", "timeOfDay": "the time of day"}
SHARES = (("missing", "missing"), ("unseen", "unseen"), ("out of range", "out_of_range"))
STATISTICS = (
    ("mean", "mean"),
    ("minimum", "minimum"),
    ("5 % quantile", "quantile05"),
    ("25 % quantile", "quantile25"),
    ("median", "median"),
    ("75 % quantile", "quantile75"),
    ("95 % quantile", "quantile95"),
    ("maximum", "maximum"),
)


def faulty_first(report: DriftReport) -> list[int]:
    """Positions of the columns: those with data faults first, largest fault first, then the others, worst first."""
    rank: dict[str, int] = {}
    for fault in report.faults:
        rank.setdefault(fault.column, len(rank))
    return sorted(range(len(report.columns)), key=lambda at: rank.get(report.columns[at].name, len(rank)))


def add_cards(main: Element, report: DriftReport) -> None:
    """Add the cards; columns without a relevant change are collapsed."""
    faulty = {fault.column for fault in report.faults}
    order = faulty_first(report)
    prominent = [at for at in order if report.columns[at].verdict in PROMINENT or report.columns[at].name in faulty]
    collapsed = [at for at in order if at not in set(prominent)]
    add(main, "h2", "Histograms")
    _add_key(main)
    detailed = frozenset(prominent[:MOST_DETAILED])
    if prominent:
        _add_grid(main, report, prominent, detailed)
    if collapsed:
        fold = SubElement(main, "details", {} if prominent else {"open": "open"})
        add(fold, "summary", f"{pluralize(len(collapsed), 'column')} without a change that matters")
        _add_grid(fold, report, collapsed, detailed)


def add_target(main: Element, target: ColumnReport, report: DriftReport) -> None:
    """Add the card of the true values."""
    add(main, "h2", "The target")
    words = "The true values have no part in the result, but their change can be the reason for a loss of performance."
    add(main, "p", words, "soft")
    _add_card(SubElement(main, "div", {"class": "cards"}), target, len(report.columns), report, detailed=True)


def _add_grid(parent: Element, report: DriftReport, positions: list[int], detailed: frozenset[int]) -> None:
    """A grid of cards; histograms at the positions in `detailed` have tooltips."""
    grid = SubElement(parent, "div", {"class": "cards"})
    for position in positions:
        _add_card(grid, report.columns[position], position, report, detailed=position in detailed)


def _add_key(main: Element) -> None:
    """The legend of the histograms."""
    key = SubElement(main, "p", {"class": "key"})
    for style, words in (("ref", "reference"), ("cur", "current (a line, or the narrow bar)")):
        entry = SubElement(key, "span")
        svg = SubElement(entry, "svg", {"viewBox": "0 0 26 14", "aria-hidden": "true"})
        if style == "ref":
            SubElement(svg, "rect", {"class": "ref", "x": "2", "y": "2", "width": "22", "height": "10"})
        else:
            SubElement(svg, "polyline", {"class": "cur", "points": "2,10 10,10 10,4 24,4"})
        add(entry, "span", words)


def _add_card(grid: Element, column: ColumnReport, position: int, report: DriftReport, *, detailed: bool) -> None:
    """The card of one column."""
    card = SubElement(grid, "article", {"id": f"c{position}"})
    head = SubElement(card, "div", {"class": "head"})
    add(head, "h3", column.name)
    add_chip(head, column.verdict)
    for fault in report.faults:
        if fault.column == column.name:
            add(card, "p", f"Faulty data: {fault.words.partition(': ')[2]}", "fault")
    if column.unseen_values:
        add(card, "p", unseen_words(column.unseen_values, report.current.rows))
    add(card, "p", column.words)
    if column.compared_as or column.subject:
        add(card, "p", f"Compared: {column.subject or COMPARED[column.compared_as or 'date']}.", "soft")
    if column.design_effect > CLUSTERED:
        rows = f"{column.rows / column.design_effect:,.0f} independent rows (design effect {column.design_effect:.3g})"
        add(card, "p", f"The rows are clustered: they carry the information of {rows}.", "soft")
    if column.hint:
        add(card, "p", column.hint, "hint")
    card.append(scale(column))
    drawn = histogram(column, position, detailed=detailed)
    if drawn is None:
        add(card, "p", "No rows with a value to draw.", "soft")
    else:
        card.append(drawn)
    _add_statistics(card, column)


def _add_statistics(card: Element, column: ColumnReport) -> None:
    """A table of the shares of missing, unseen and out-of-range values, and of the statistics of numbers."""
    found: list[tuple[str, str, str]] = []
    for title, field in SHARES:
        shares: Shares | None = getattr(column, field)
        if shares is not None:
            found.append((title, percent(shares.reference), percent(shares.current)))
    if column.summary is not None:
        for title, field in STATISTICS:
            sides = column.summary.reference, column.summary.current
            before, now = (_statistic(side, field, FORMATS.get(column.compared_as, bound)) for side in sides)
            if before or now:
                found.append((title, before, now))
    if not found:
        return
    table = SubElement(card, "table")
    add_header(table, ("", "reference", "current"))
    body = SubElement(table, "tbody")
    for title, before, now in found:
        row = SubElement(body, "tr")
        add(row, "th", title).set("scope", "row")
        add(row, "td", before)
        add(row, "td", now)


def _statistic(summary: Summary | None, field: str, text: Callable[[float], str]) -> str:
    """A statistic as text; empty if it is unknown."""
    value = None if summary is None else getattr(summary, field)
    return "" if value is None else text(value)
