"""From the layout of a profile to its tables: which cells of the counts each table has, and where PSI groups start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.profile.features import Feature, NumericFeature
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.outputs import PREDICTION, SCORE, TARGET

PART_GROUPS = 10
"""Number of PSI groups of the rows without a frequent value, at most."""


@dataclass(frozen=True, eq=False)
class TableSource:
    """How to build one table.

    Args:
        name: name of the feature or output.
        spans: first and end position of each cell in a vector of counts, ascending.
        cuts: cells that start a new PSI group.
        ordered: whether the cells have an order.
        grid: quantiles at `linspace(0, 1, 401)`; None if unknown.
        sd: standard deviation of the reference; 0 if unknown.
        importance: importance of the feature in the model; 0 if unknown.
        subject: the rows of the table in words, if they are a part of all.
    """

    name: str
    spans: list[tuple[int, int]]
    cuts: list[int]
    ordered: bool
    grid: Floats | None = None
    sd: float = 0.0
    importance: float = 0.0
    subject: str = ""


def feature_source(layout: Layout, index: int) -> TableSource:
    """The table of a feature."""
    feature = layout.features[index]
    bins = layout.bins_of(index)
    below, _, missing, other = (int(position) for position in layout.specials[:, index])
    first = list(range(bins.start, bins.stop))
    importance = feature.importance or 0.0
    if not isinstance(feature, NumericFeature):
        spans = [(position, position + 1) for position in (*first, other)]
        return TableSource(feature.name, spans, list(range(len(spans))), ordered=False, importance=importance)
    spans = list(zip([below, *first[1:]], [*first[1:], missing], strict=True))
    return TableSource(
        feature.name, spans, _openings(feature.decile), True, feature.grid, feature.sd or 0.0, importance
    )


def output_sources(layout: Layout) -> list[TableSource]:
    """The tables of the score and of the predicted class, if the profile has them."""
    rows, score = [], layout.profile.score
    if score is not None:
        spans = [(position, position + 1) for position in range(layout.score.start, layout.score.stop)]
        rows.append(TableSource(SCORE, spans, _openings(score.decile), True, score.grid, score.sd or 0.0))
    if layout.profile.prediction is not None:
        spans = [(position, position + 1) for position in range(layout.prediction.start, layout.prediction.stop)]
        rows.append(TableSource(PREDICTION, spans, list(range(len(spans))), ordered=False))
    return rows


def target_sources(layout: Layout) -> list[TableSource]:
    """The table of the target, if the profile has one."""
    target = layout.profile.target
    if target is None:
        return []
    below, first = layout.target.start, layout.target.start + 1
    bins = list(range(first, first + target.bins))
    above, other = bins[-1] + 1 if bins else first, layout.target.stop - 1
    if not isinstance(target, NumericFeature):
        spans = [(position, position + 1) for position in (*bins, other)]
        return [TableSource(TARGET, spans, list(range(len(spans))), ordered=False)]
    spans = list(zip([below, *bins[1:]], [*bins[1:], above + 1], strict=True))
    return [TableSource(TARGET, spans, _openings(target.decile), True, target.grid, target.sd or 0.0)]


def has_part(feature: Feature) -> bool:
    """Whether the rows of a feature without a frequent value are compared on their own."""
    return isinstance(feature, NumericFeature) and feature.atoms is not None and feature.atoms.size > 0


def part_cells(feature: Feature) -> Ints:
    """The bins of a feature that hold no frequent value, ascending."""
    atoms = feature.atoms if isinstance(feature, NumericFeature) else None
    return np.setdiff1d(np.arange(feature.bins), [] if atoms is None else atoms)


def part_source(feature: Feature, whole: TableSource, cells: Ints) -> TableSource:
    """The table of some bins of a feature; a PSI group holds at least a tenth of their rows."""
    counts = feature.counts[cells]
    cuts, least, held = [0], counts.sum() / PART_GROUPS, 0
    for position, count in enumerate(counts.tolist()):
        if held >= least:
            cuts.append(position)
            held = 0
        held += count
    spans = [whole.spans[cell] for cell in cells.tolist()]
    return TableSource(whole.name, spans, cuts, ordered=True, subject=f"values other than {_frequent(feature)}")


def _frequent(feature: Feature) -> str:
    """The frequent values of a feature in words."""
    if not isinstance(feature, NumericFeature) or feature.atoms is None or feature.maximum is None:
        return ""
    ends = np.append(feature.edges, feature.maximum)
    *others, last = (feature.text_of(value) for value in ends[feature.atoms].tolist())
    return f"{', '.join(others)} and {last}" if others else last


def _openings(cuts: Ints) -> list[int]:
    """The first cell, and the cells after the edges at `cuts`."""
    return [0, *(cuts + 1).tolist()]
