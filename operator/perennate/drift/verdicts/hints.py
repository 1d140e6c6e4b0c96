"""Describe changes and faults in plain words."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.profile.features import CategoricalFeature, Feature, NumericFeature
from perennate.drift.profile.layout import ROWS, Layout
from perennate.drift.profile.outputs import SCORE

MIN_GAIN = 0.05
"""A bin whose share of the rows rises by at least this is named in the hint."""
MIN_SHIFT = 0.1
"""A mean that moves by at least this many standard deviations is named in the hint."""
MIN_SIDE = 0.2
"""Values are called higher or lower if that is by at least this more often so than the opposite."""


def fault_hint(layout: Layout, window: Ints, index: int, check: str) -> str:
    """Describe a data fault of one feature: "`age`: 31 % missing, 2 % in training".

    Args:
        layout: the profile's layout.
        window: counts of the window, (cells,).
        index: position of the feature.
        check: "missing", "other" or "out-of-range".
    """
    feature = layout.features[index]
    below, above, missing, other = (float(count) / float(window[ROWS]) for count in window[layout.specials[:, index]])
    if check == "missing":
        return missing_hint(feature.name, missing, feature.missing / float(layout.described_rows[index]))
    if check == "other":
        return f"`{feature.name}`: {percent(other)} of rows {_other_values(layout, index)}"
    if isinstance(feature, CategoricalFeature):
        raise TypeError(f"{feature.name!r} is a categorical feature, which has no range")
    if feature.minimum is None or feature.maximum is None:
        return f"`{feature.name}`: {percent(above + below)} have a value, none had one in training"
    sides = [f"{percent(above)} above the largest training value {feature.text_of(feature.maximum)}"] if above else []
    sides += [f"{percent(below)} below the smallest training value {feature.text_of(feature.minimum)}"] if below else []
    return f"`{feature.name}`: {', '.join(sides)}"


def missing_hint(name: str, share: float, reference: float) -> str:
    """Describe a share of missing values: "`age`: 31 % missing, 2 % in training"."""
    where = "in the reference" if name == SCORE else "in training"
    return f"`{name}`: {percent(share)} missing, {percent(reference)} {where}"


def change_hint(layout: Layout, index: int, reference: Floats, current: Floats, shift: float) -> str:
    """Describe a significant change of one table by the bin that gained rows or by the mean; empty if neither is clear.

    Args:
        layout: the profile's layout.
        index: position of the table; features come first, then the score and the predicted class.
        reference: shares of training rows by cell, (cells,).
        current: shares of the rows of the window by cell, (cells,).
        shift: mean of the window - training mean, in training standard deviations.
    """
    gains = current - reference
    cell = int(np.argmax(gains))
    shares = f"{percent(current[cell])} of rows, {percent(reference[cell])} in training"
    feature = layout.features[index] if index < len(layout.features) else None
    if gains[cell] >= MIN_GAIN and isinstance(feature, CategoricalFeature) and cell < feature.bins:
        return f"`{feature.name}`: {feature.categories[cell]!r} is {shares}"
    # A shift of the whole distribution fills several bins; a default value fills one.
    alone = gains[cell] >= np.maximum(gains, 0.0).sum() / 2
    if gains[cell] >= MIN_GAIN and alone and isinstance(feature, NumericFeature):
        value = _only_value(feature, cell)
        if value is not None:
            return f"`{feature.name}`: {feature.text_of(value)} is {shares}"
        if 0 < cell < feature.bins - 1:
            low, high = map(feature.text_of, feature.edges[cell - 1 : cell + 1].tolist())
            return f"`{feature.name}`: values above {low} up to {high} are {shares}"
    if feature is not None and abs(shift) >= MIN_SHIFT:
        side = "up" if shift > 0 else "down"
        return f"`{feature.name}`: mean shifted by {abs(shift):.2g} standard deviations ({side})"
    return ""


def part_hint(name: str, subject: str, reference: Floats, current: Floats) -> str:
    """Describe a change of the rows without a frequent value: "`claims`: values other than 0 are mostly lower".

    Args:
        name: name of the feature.
        subject: the rows in words.
        reference: their shares by cell in training, (cells,).
        current: their shares by cell in the window, (cells,).
    """
    # Chance that a row of the window lies in a higher cell than a training row, less that of a lower one.
    above = float(
        (current * (np.cumsum(reference) - reference)).sum() - (reference * (np.cumsum(current) - current)).sum()
    )
    if abs(above) < MIN_SIDE:
        return f"`{name}`: {subject} are distributed differently"
    return f"`{name}`: {subject} are mostly {'higher' if above > 0 else 'lower'} than in training"


def target_hint(target: Feature | None, reference: Floats, current: Floats) -> str:
    """Describe a change of the true classes by the one whose share rose most; empty for true values."""
    if not isinstance(target, CategoricalFeature):
        return ""
    cell = int(np.argmax(current - reference))
    label = repr(target.categories[cell]) if cell < target.bins else "any other class"
    return f"{label} is {percent(current[cell])} of the true values, {percent(reference[cell])} in the reference"


def percent(share: float) -> str:
    """Format a share as whole per cent, with one significant digit below 1 %."""
    number = 100 * share
    return f"{number:.0f} %" if number >= 1 or number == 0 else f"{number:.1g} %"


def _only_value(feature: NumericFeature, cell: int) -> float | None:
    """The value of all training rows in a bin according to the stored quantiles; None if they differ."""
    if feature.grid is None or feature.maximum is None:
        return None
    low = feature.edges[cell - 1] if cell else -np.inf
    high = float(feature.edges[cell] if cell < feature.edges.size else feature.maximum)
    inside = feature.grid[(feature.grid > low) & (feature.grid <= high)]
    return high if inside.size and np.all(inside == high) else None


def _other_values(layout: Layout, index: int) -> str:
    feature = layout.features[index]
    if not isinstance(feature, CategoricalFeature):
        return f"are not a {'time' if feature.kind == 'datetime' else 'number'}, {_known(layout, index)}"
    if feature.other:
        return f"have a category that the profile does not list, {_known(layout, index)}"
    return "have a category that is not in the training data"


def _known(layout: Layout, index: int) -> str:
    return f"{percent(layout.features[index].other / float(layout.described_rows[index]))} in training"
