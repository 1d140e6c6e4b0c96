"""Elements that all parts of the page use."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

CHIPS = {"Drifted": "drifted", "Warning": "warning", "Changed": "changed", "None": "no change", "Unknown": "unknown"}
"""Verdicts as words."""


def add(parent: Element, tag: str, text: str, style: str = "") -> Element:
    """Add a child element with text."""
    child = SubElement(parent, tag, {"class": style} if style else {})
    child.text = text
    return child


def add_chip(parent: Element, verdict: str) -> None:
    """Add a verdict."""
    add(parent, "span", CHIPS[verdict], f"chip {verdict}")


def add_header(table: Element, titles: tuple[str, ...]) -> None:
    """Add the heading of a table."""
    row = SubElement(SubElement(table, "thead"), "tr")
    for title in titles:
        add(row, "th", title).set("scope", "col")
