"""Histograms of reference and current rows."""

from __future__ import annotations

from perennate.drift import Sample
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.drift.profile.outputs import Score
from perennate.report.document import Cell
from perennate.report.words import bound

REST = "any other"


def feature_cells(sample: Sample, index: int) -> tuple[Cell, ...]:
    """The histogram of a feature, without missing and invalid values."""
    layout = sample.layout
    feature = layout.features[index]
    below, above, _, other = sample.total[layout.specials[:, index]].tolist()
    current = sample.total[layout.bins_of(index)].tolist()
    if isinstance(feature, CategoricalFeature):
        return _category_cells(feature, current, other)
    return _number_cells(feature, current, below, above)


def _category_cells(feature: CategoricalFeature, current: list[int], other: int) -> tuple[Cell, ...]:
    named = zip(feature.categories, feature.counts.tolist(), current, strict=True)
    cells = [Cell(label=name, reference=known, current=seen) for name, known, seen in named]
    return (*cells, Cell(label=REST, reference=feature.other, current=other))


def _number_cells(feature: NumericFeature, current: list[int], below: int, above: int) -> tuple[Cell, ...]:
    cells = interval_cells(feature, feature.counts.tolist(), current)
    low, high = feature.minimum, feature.maximum
    if low is None or high is None:
        return ()
    if below:
        cells.insert(0, Cell(label=f"below {end(feature, low)}", upper=low, reference=0, current=below))
    if above:
        cells.append(Cell(label=f"above {end(feature, high)}", lower=high, reference=0, current=above))
    return tuple(cells)


def target_cells(sample: Sample) -> tuple[Cell, ...]:
    """The histogram of the true values."""
    target = sample.profile.target
    if target is None:
        return ()
    below, *bins, above, _, other = sample.total[sample.layout.target].tolist()
    if isinstance(target, CategoricalFeature):
        return _category_cells(target, bins, other)
    return _number_cells(target, bins, below, above)


def score_cells(sample: Sample) -> tuple[Cell, ...]:
    """The histogram of the score."""
    score = sample.profile.score
    if score is None:
        return ()
    return tuple(interval_cells(score, score.counts.tolist(), sample.total[sample.layout.score].tolist()))


def prediction_cells(sample: Sample) -> tuple[Cell, ...]:
    """The histogram of the predicted class, for more than two classes."""
    profile, layout = sample.profile, sample.layout
    if profile.prediction is None:
        return ()
    counts = zip(profile.classes, profile.prediction.tolist(), sample.total[layout.prediction].tolist(), strict=True)
    named = [Cell(label=name, reference=known, current=seen) for name, known, seen in counts]
    return (*named, Cell(label=REST, reference=0, current=0))


def interval_cells(feature: NumericFeature | Score, reference: list[int], current: list[int]) -> list[Cell]:
    """The bins of a numeric feature; the outermost end at the smallest and largest value of the reference."""
    edges = feature.edges.tolist()
    lowers, uppers = [feature.minimum, *edges], [*edges, feature.maximum]
    return [
        Cell(label=_label(feature, lower, upper, position), lower=lower, upper=upper, reference=known, current=seen)
        for position, (lower, upper, known, seen) in enumerate(zip(lowers, uppers, reference, current, strict=True))
    ]


def end(feature: NumericFeature | Score, value: float) -> str:
    """Format an end of a bin."""
    if isinstance(feature, NumericFeature) and feature.kind == "boolean":
        return "true" if value else "false"
    return feature.text_of(value) if isinstance(feature, NumericFeature) and feature.measure else bound(value)


def _label(feature: NumericFeature | Score, lower: float | None, upper: float | None, position: int) -> str:
    """The label of a bin."""
    if upper is None or lower is None:
        return f"up to {end(feature, upper)}" if upper is not None else f"above {end(feature, lower or 0.0)}"
    if isinstance(feature, NumericFeature) and feature.kind == "boolean":
        return end(feature, upper)
    # A bin of whole numbers from 3 (exclusive) to 4 contains only 4.
    single = lower == upper or (lower.is_integer() and upper == lower + 1 and position > 0)
    return end(feature, upper) if single else f"{end(feature, lower)} to {end(feature, upper)}"
