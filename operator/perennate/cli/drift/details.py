"""Details of columns for people: the most frequent unseen values, and statistics of numbers."""

from __future__ import annotations

from perennate.cli.drift.columns.summary import reference_summary
from perennate.cli.drift.current.counting import CurrentData
from perennate.drift import Sample
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.outputs import SCORE, Score
from perennate.report.document import ColumnReport, Summaries, Summary, UnseenValue
from perennate.text import shortened

MIN_RISE = 0.01
"""Unseen values are named if their share of the rows rose by this, as for a data fault."""


def with_details(column: ColumnReport, current: CurrentData) -> ColumnReport:
    """The column with its unseen values and its statistics."""
    found = {"unseen_values": _unseen_values(column, current), "summary": _summaries(column, current)}
    return column.model_copy(update=found)


def _unseen_values(column: ColumnReport, current: CurrentData) -> tuple[UnseenValue, ...] | None:
    """The most frequent unseen values; None if there are hardly more than in the reference."""
    if column.unseen is None or column.unseen.current - column.unseen.reference < MIN_RISE:
        return None
    named = current.unseen.get(column.name, ())
    return tuple(UnseenValue(value=shortened(value), rows=rows) for value, rows in named) or None


def _summaries(column: ColumnReport, current: CurrentData) -> Summaries | None:
    """The statistics of a column of numbers, or of the score; of counts documents, only the mean is known."""
    feature = _numbers(current.sample, column.name)
    known = None if feature is None else reference_summary(feature)
    if feature is None or known is None:
        return None
    now = current.summaries.get(column.name)
    if now is None and not current.summaries and feature.mean is not None and "meanShift" in column.statistics:
        now = Summary(mean=feature.mean + column.statistics["meanShift"] * (feature.sd or 0.0))
    return Summaries(reference=known, current=now)


def _numbers(sample: Sample, name: str) -> NumericFeature | Score | None:
    """The feature or score of a name, if it is numbers or dates."""
    if name == SCORE:
        return sample.profile.score
    found = (item for item in sample.profile.features if item.name == name)
    return next((item for item in found if isinstance(item, NumericFeature) and item.kind != "boolean"), None)
