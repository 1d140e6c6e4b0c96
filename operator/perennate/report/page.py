"""The report as a self-contained HTML page, without scripts, fonts or links to other files."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from perennate import __version__
from perennate.report.document import ColumnReport, DriftReport, MetricReport, Shares
from perennate.report.figures import histogram, scale
from perennate.report.style import CSS, content_policy
from perennate.report.table import performance_verdict, plain
from perennate.report.words import METHODS, number, p_value, percent, pluralize, quorum, size

PROMINENT = ("Drifted", "Warning")
CHIPS = {"Drifted": "drifted", "Warning": "warning", "Changed": "changed", "None": "no change", "Unknown": "unknown"}
SHARES = (("missing", "missing"), ("unseen", "unseen"), ("out of range", "out_of_range"))


def page(report: DriftReport) -> str:
    """Render the page. The XML writer escapes all text, so names cannot inject markup."""
    html = Element("html", {"lang": "en"})
    _head(html, report)
    body = SubElement(html, "body")
    main = SubElement(body, "main")
    _headline(main, report)
    if report.faults:
        _faults(main, report)
    if report.columns:
        _summary(main, report)
        _cards(main, report)
    if report.performance:
        _performance(main, report.performance)
    _about(body, report)
    for element in html.iter():
        # Names from files may contain control characters.
        element.text = plain(element.text) if element.text and element.tag != "style" else element.text
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _head(html: Element, report: DriftReport) -> None:
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": content_policy()})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "referrer", "content": "no-referrer"})
    _add(head, "title", f"Drift report: {report.words}")
    _add(head, "style", CSS)


def _headline(main: Element, report: DriftReport) -> None:
    """The result and the sources."""
    header = SubElement(main, "header", {"class": report.outcome})
    _add(header, "h1", report.words)
    _add(
        header,
        "p",
        f"{', '.join(report.reference.names)} ({pluralize(report.reference.rows, 'row')}) against "
        f"{', '.join(report.current.names)} ({pluralize(report.current.rows, 'row')})",
        "soft",
    )
    for note in report.notes:
        _add(header, "p", note, "soft")


def _faults(main: Element, report: DriftReport) -> None:
    _add(main, "h2", "Faulty data")
    _add(main, "p", "Fix these first: a fault can look like drift, and a model must not be trained on it.", "soft")
    entries = SubElement(main, "ul")
    for fault in report.faults:
        _add(entries, "li", fault.words)


def _summary(main: Element, report: DriftReport) -> None:
    """All columns in one table, worst first."""
    _add(main, "h2", "Columns, worst first")
    box = SubElement(main, "div", {"class": "scroll"})
    table = SubElement(box, "table")
    titles = ("column", "verdict", "effect", "drift from", "p", "rows", *(title for title, _ in SHARES))
    _header(table, titles)
    body = SubElement(table, "tbody")
    for position, column in enumerate(report.columns):
        row = SubElement(body, "tr")
        name = SubElement(row, "th", {"scope": "row"})
        _add(name, "a", column.name).set("href", f"#c{position}")
        _chip(SubElement(row, "td"), column.verdict)
        for text in (
            f"{METHODS.get(column.method, column.method)} {size(column.effect)}",
            number(column.threshold),
            p_value(column.p).removeprefix("p ").removeprefix("= "),
            f"{column.rows:,}",
            *(_change(getattr(column, field)) for _, field in SHARES),
        ):
            _add(row, "td", text)


def _cards(main: Element, report: DriftReport) -> None:
    """A card with a histogram for each column; columns without a relevant change are collapsed."""
    faulty = {fault.column for fault in report.faults}
    positions = range(len(report.columns))
    prominent = [at for at in positions if report.columns[at].verdict in PROMINENT or report.columns[at].name in faulty]
    collapsed = [at for at in positions if at not in prominent]
    _add(main, "h2", "Histograms")
    _key(main)
    if prominent:
        _grid(main, report, prominent)
    if collapsed:
        fold = SubElement(main, "details", {} if prominent else {"open": "open"})
        _add(fold, "summary", f"{pluralize(len(collapsed), 'column')} without a change that matters")
        _grid(fold, report, collapsed)


def _grid(parent: Element, report: DriftReport, positions: list[int]) -> None:
    """A grid of cards."""
    grid = SubElement(parent, "div", {"class": "cards"})
    for position in positions:
        _card(grid, report.columns[position], position, report)


def _key(main: Element) -> None:
    """The legend of the histograms."""
    key = SubElement(main, "p", {"class": "key"})
    for style, words in (("ref", "reference"), ("cur", "current (a line, or the narrow bar)")):
        entry = SubElement(key, "span")
        svg = SubElement(entry, "svg", {"viewBox": "0 0 26 14", "aria-hidden": "true"})
        if style == "ref":
            SubElement(svg, "rect", {"class": "ref", "x": "2", "y": "2", "width": "22", "height": "10"})
        else:
            SubElement(svg, "polyline", {"class": "cur", "points": "2,10 10,10 10,4 24,4"})
        _add(entry, "span", words)


def _card(grid: Element, column: ColumnReport, position: int, report: DriftReport) -> None:
    """The card of one column."""
    card = SubElement(grid, "article", {"id": f"c{position}"})
    head = SubElement(card, "div", {"class": "head"})
    _add(head, "h3", column.name)
    _chip(head, column.verdict)
    for fault in report.faults:
        if fault.column == column.name:
            _add(card, "p", f"Faulty data: {fault.words.partition(': ')[2]}", "fault")
    _add(card, "p", column.words)
    if column.hint:
        _add(card, "p", column.hint, "hint")
    card.append(scale(column))
    drawn = histogram(column, position)
    if drawn is None:
        _add(card, "p", "No rows with a value to draw.", "soft")
    else:
        card.append(drawn)
    _shares(card, column)


def _shares(card: Element, column: ColumnReport) -> None:
    """A table of missing, unseen and out-of-range shares."""
    known = [(title, getattr(column, field)) for title, field in SHARES if getattr(column, field) is not None]
    if not known:
        return
    table = SubElement(card, "table")
    _header(table, ("rows", "reference", "current"))
    body = SubElement(table, "tbody")
    for title, shares in known:
        row = SubElement(body, "tr")
        _add(row, "th", title).set("scope", "row")
        _add(row, "td", percent(shares.reference))
        _add(row, "td", percent(shares.current))


def _performance(main: Element, metrics: tuple[MetricReport, ...]) -> None:
    estimated = any(metric.estimated for metric in metrics)
    _add(main, "h2", "Estimated performance" if estimated else "Performance")
    if estimated:
        words = "Estimated from the scores, assuming that their calibration is still valid. Only labels can prove it."
        _add(main, "p", words, "soft")
    box = SubElement(main, "div", {"class": "scroll"})
    table = SubElement(box, "table")
    _header(table, ("metric", "value", "interval", "reference", "rows", ""))
    body = SubElement(table, "tbody")
    for metric in metrics:
        row = SubElement(body, "tr")
        _add(row, "th", metric.metric).set("scope", "row")
        for text in (
            f"{metric.value:.4g}",
            f"{metric.lower:.4g} to {metric.upper:.4g}",
            "" if metric.baseline is None else f"{metric.baseline:.4g}",
            f"{metric.rows:,}",
            performance_verdict(metric),
        ):
            _add(row, "td", text)


def _about(body: Element, report: DriftReport) -> None:
    """Explanations and version."""
    settings = report.settings
    footer = SubElement(body, "footer")
    _add(
        footer,
        "p",
        f"A column drifted if its change is significant (the probability of a false alarm in the report is "
        f"{settings.significance:g}) and large (its effect reaches the threshold). A significant change below the "
        f"warning threshold is too small to matter. Columns with fewer than {settings.min_samples:,} rows are unknown. "
        f"The result is drift if at least {quorum(settings.min_drifted_features)} of the columns drifted.",
    )
    _add(
        footer,
        "p",
        "Unseen: a category without a count of its own in the reference, or an invalid value. Out of range: "
        "below the smallest or above the largest value of the reference.",
    )
    _add(footer, "p", f"Profile {report.profile_digest}. Made by perennate {__version__}.")


def _header(table: Element, titles: tuple[str, ...]) -> None:
    row = SubElement(SubElement(table, "thead"), "tr")
    for title in titles:
        _add(row, "th", title).set("scope", "col")


def _chip(parent: Element, verdict: str) -> None:
    _add(parent, "span", CHIPS[verdict], f"chip {verdict}")


def _change(shares: Shares | None) -> str:
    if shares is None or not (shares.reference or shares.current):
        return "\N{EN DASH}"
    before, now = percent(shares.reference), percent(shares.current)
    return now if before == now else f"{before} → {now}"


def _add(parent: Element, tag: str, text: str, style: str = "") -> Element:
    """Add a child element with text."""
    child = SubElement(parent, tag, {"class": style} if style else {})
    child.text = text
    return child
