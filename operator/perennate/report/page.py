"""The report as a self-contained HTML page, without links to other files, and with one script for searching."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from perennate import __version__
from perennate.report.cards import SHARES, add_cards, add_target, faulty_first
from perennate.report.document import DriftReport, Shares
from perennate.report.elements import add, add_chip, add_header
from perennate.report.script import SCRIPT
from perennate.report.style import CSS, content_policy
from perennate.report.table import performance_verdict
from perennate.report.words import METHODS, interval_name, number, p_value, percent, pluralize, quorum, size
from perennate.text import printable

RAW = ("style", "script")
"""Elements whose text is not from a file."""
MANY_COLUMNS = 8
"""From this number of columns on, the page has a search box."""


def page(report: DriftReport) -> str:
    """Render the page. The XML writer escapes all text, so names cannot inject markup."""
    html = Element("html", {"lang": "en"})
    _add_head(html, report)
    body = SubElement(html, "body")
    main = SubElement(body, "main")
    _add_headline(main, report)
    if report.faults:
        _add_faults(main, report)
    if report.columns:
        _add_search(main, len(report.columns))
        _add_columns(main, report)
        add_cards(main, report)
    if report.target is not None:
        add_target(main, report.target, report)
    if report.performance:
        _add_performance(main, report)
    _add_footer(body, report)
    if len(report.columns) >= MANY_COLUMNS:
        SubElement(body, "script").text = SCRIPT
    for element in html.iter():
        # Names from files may contain control characters.
        element.text = printable(element.text) if element.text and element.tag not in RAW else element.text
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _add_head(html: Element, report: DriftReport) -> None:
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": content_policy()})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "referrer", "content": "no-referrer"})
    add(head, "title", f"Drift report: {report.words}")
    add(head, "style", CSS)


def _add_headline(main: Element, report: DriftReport) -> None:
    """The result and the sources."""
    header = SubElement(main, "header", {"class": report.outcome})
    add(header, "h1", report.words)
    add(
        header,
        "p",
        f"{', '.join(report.reference.names)} ({pluralize(report.reference.rows, 'row')}) against "
        f"{', '.join(report.current.names)} ({pluralize(report.current.rows, 'row')})",
        "soft",
    )
    if report.created is not None:
        add(header, "p", f"Made on {report.created:%Y-%m-%d at %H:%M} UTC.", "soft")
    for note in report.notes:
        add(header, "p", note, "soft")


def _add_faults(main: Element, report: DriftReport) -> None:
    add(main, "h2", "Faulty data")
    add(
        main,
        "p",
        "Fix these first: a fault can look like drift, and a model must not be trained on it."
        if report.outcome == "DataFault"
        else "These values may be right, such as those of a season that the reference lacks, or faulty.",
        "soft",
    )
    places = {column.name: place for place, column in enumerate(report.columns)}
    entries = SubElement(main, "ul")
    for fault in report.faults:
        entry = SubElement(entries, "li")
        if fault.column in places:
            add(entry, "a", fault.words).set("href", f"#c{places[fault.column]}")
        else:
            entry.text = fault.words


def _add_search(main: Element, columns: int) -> None:
    """The search box, which the script makes visible."""
    if columns < MANY_COLUMNS:
        return
    box = SubElement(main, "p", {"class": "search", "hidden": "hidden"})
    add(box, "label", "Find a column").set("for", "find")
    SubElement(box, "input", {"id": "find", "type": "search", "autocomplete": "off"})
    SubElement(box, "span", {"id": "found", "role": "status"})


def _add_columns(main: Element, report: DriftReport) -> None:
    """All columns in one table."""
    add(main, "h2", "Columns, faulty ones first, then worst first" if report.faults else "Columns, worst first")
    box = SubElement(main, "div", {"class": "scroll"})
    table = SubElement(box, "table", {"id": "columns", "class": "wide"})
    titles = ("column", "verdict", "effect", "drift from", "p", "rows", *(title for title, _ in SHARES))
    add_header(table, titles)
    body = SubElement(table, "tbody")
    for position in faulty_first(report):
        column = report.columns[position]
        row = SubElement(body, "tr")
        name = SubElement(row, "th", {"scope": "row"})
        add(name, "a", column.name).set("href", f"#c{position}")
        add_chip(SubElement(row, "td"), column.verdict)
        for text in (
            f"{METHODS.get(column.method, column.method)} {size(column.effect)}",
            number(column.threshold),
            p_value(column.p).removeprefix("p ").removeprefix("= "),
            f"{column.rows:,}",
            *(_change(getattr(column, field)) for _, field in SHARES),
        ):
            add(row, "td", text)


def _add_performance(main: Element, report: DriftReport) -> None:
    estimated = any(metric.estimated for metric in report.performance)
    add(main, "h2", "Estimated performance" if estimated else "Performance")
    if estimated:
        add(
            main,
            "p",
            "Estimated from the scores, assuming that their calibration is still valid; only labels can prove it. The "
            "prediction interval says where the value would be if these rows had labels. It covers chance and the "
            "calibration of few rows, but not scores that changed their meaning.",
            "soft",
        )
    box = SubElement(main, "div", {"class": "scroll"})
    table = SubElement(box, "table", {"id": "performance", "class": "wide"})
    interval = interval_name(report.settings.significance, estimated=estimated)
    add_header(table, ("metric", "value", interval, "reference", "rows", ""))
    body = SubElement(table, "tbody")
    for metric in report.performance:
        row = SubElement(body, "tr")
        add(row, "th", metric.metric).set("scope", "row")
        for text in (
            f"{metric.value:.4g}",
            f"{metric.lower:.4g} to {metric.upper:.4g}",
            "" if metric.baseline is None else f"{metric.baseline:.4g}",
            f"{metric.rows:,}",
            performance_verdict(metric),
        ):
            add(row, "td", text)


def _add_footer(body: Element, report: DriftReport) -> None:
    """Explanations and version."""
    settings = report.settings
    footer = SubElement(body, "footer")
    add(
        footer,
        "p",
        f"A column drifted if its change is significant (the probability of a false alarm in the report is "
        f"{settings.significance:g}) and large (its effect reaches the threshold). A significant change below the "
        f"warning threshold is too small to matter. Columns with fewer than {settings.min_samples:,} rows are unknown. "
        f"The result is drift if at least {quorum(settings.min_drifted_features)} of the columns drifted.",
    )
    add(
        footer,
        "p",
        "Unseen: a category without a count of its own in the reference, or an invalid value. Out of range: "
        "below the smallest or above the largest value of the reference.",
    )
    add(footer, "p", f"Profile {report.profile_digest}. Made by perennate {__version__}.")


def _change(shares: Shares | None) -> str:
    """The change of a share; empty if both are 0, which the style sheet shows as a dash."""
    if shares is None or not (shares.reference or shares.current):
        return ""
    before, now = percent(shares.reference), percent(shares.current)
    return now if before == now else f"{before} → {now}"
