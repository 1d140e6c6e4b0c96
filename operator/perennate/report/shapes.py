"""Shapes of SVG images."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement


def add_rect(svg: Element, style: str, x: float, y: float, width: float, height: float) -> Element:
    """Add a rectangle; a negative size is 0."""
    box = {"x": short(x), "y": short(y), "width": short(max(width, 0)), "height": short(max(height, 0))}
    return SubElement(svg, "rect", {"class": style, **box})


def add_line(svg: Element, style: str, x1: float, y1: float, x2: float, y2: float) -> None:
    """Add a line."""
    ends = {"x1": short(x1), "y1": short(y1), "x2": short(x2), "y2": short(y2)}
    SubElement(svg, "line", {"class": style, **ends})


def add_text(svg: Element, x: float, y: float, text: str, anchor: str = "start") -> None:
    """Add a text. Its start, middle or end is at `x`."""
    place = {"x": short(x), "y": short(y)}
    SubElement(svg, "text", place if anchor == "start" else place | {"text-anchor": anchor}).text = text


def short(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
