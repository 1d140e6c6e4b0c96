"""Axes of histograms: round numbers for ticks, and their labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from xml.etree.ElementTree import Element

from perennate.report.shapes import add_line, add_text
from perennate.report.words import bound

FACTORS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Round steps between two ticks are these times a power of ten."""
LABEL_WIDTH = 7.0
"""Width of a character of a label."""


def ticks(low: float, high: float, most: int) -> list[float]:
    """The round numbers in a range, at most `most`; the lower end if there is none."""
    width = high - low
    if not (math.isfinite(width) and width > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(width / most))
    for step in (factor * power for factor in FACTORS):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            return [place * step for place in range(first, last + 1)] or [low]
    return [low]


def even(low: float, high: float, most: int) -> list[float]:
    """Evenly spaced values from one end of a range to the other."""
    return [low + (high - low) * place / (most - 1) for place in range(most)]


def add_share_axis(svg: Element, left: float, right: float, floor: float, height: float, top: float) -> None:
    """A vertical axis for shares from 0 to `top`, with thin lines across the histogram.

    Args:
        svg: the image.
        left: start of the lines.
        right: end of the lines.
        floor: position of 0.
        height: height of a share of `top`.
        top: the largest share.
    """
    for share in ticks(0.0, top, 4):
        y = floor - share / top * height
        add_line(svg, "grid" if share else "axis", left, y, right, y)
        add_text(svg, left - 4, y + 4, share_text(share), "end")


def add_value_axis(
    svg: Element, place: Callable[[float], float], values: list[float], y: float, text: Callable[[float], str] = bound
) -> None:
    """Labels below a horizontal axis.

    Args:
        svg: the image.
        place: position of a value.
        values: the values to label, in ascending order.
        y: position of the axis.
        text: format of a value.
    """
    end = -math.inf
    for value in values:
        x, label = place(value), text(value)
        half = len(label) * LABEL_WIDTH / 2
        add_line(svg, "tick", x, y, x, y + 4)
        if x - half >= end:
            add_text(svg, x, y + 16, label, "middle")
            end = x + half


def share_text(share: float) -> str:
    """A share at a tick, in per cent."""
    return f"{100 * share:.3g} %"
