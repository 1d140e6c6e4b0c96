"""Counting the rows of files against a profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from perennate.cli.errors import UsageError
from perennate.cli.kinds import kind_of, listed
from perennate.cli.model import Model
from perennate.cli.outcomes import Outcomes, outcomes_of
from perennate.cli.reading import DataFile, RetypedError, Ticker, part_of
from perennate.cli.reference import PREDICTED, READERS, read_output
from perennate.cli.values import Coded, Column, Values, as_number, categories
from perennate.drift import Profile, Recorder, Sample, Window, class_text
from perennate.drift.features import CategoricalFeature, Feature

DAY = 86_400.0


@dataclass(frozen=True)
class Current:
    """What is compared.

    Args:
        names: where it comes from.
        sample: what was counted.
        outcomes: predictions against the truth; None if there is either none.
        extra: columns that the reference does not have.
    """

    names: tuple[str, ...]
    sample: Sample
    outcomes: Outcomes | None = None
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is done with every file.

    Args:
        profile: what is counted against.
        reference: where it comes from, for messages.
        model: how predictions are read; None if they are not.
        target, prediction: columns with the truth and with what the model said.
        ignored: columns that are left out of the reference too.
        workers: threads to count in.
    """

    profile: Profile
    reference: str
    model: Model | None = None
    target: str | None = None
    prediction: str | None = None
    ignored: frozenset[str] = frozenset()
    workers: int = 1

    @property
    def texts(self) -> frozenset[str]:
        """Columns of a csv file that are read as text, since they are categories."""
        return frozenset(
            item.name for item in self.profile.features if item.kind == "categorical" and item.name != PREDICTED
        )

    def column(self, feature: str) -> str:
        """The column that a feature is read from.

        Raises:
            UsageError: it is the predicted class, and no column is named for it.
        """
        if feature != PREDICTED:
            return feature
        if self.prediction is None:
            raise UsageError(f"{self.reference} was built with predictions: name their column with --prediction")
        return self.prediction

    @property
    def scored(self) -> bool:
        """Whether predictions are counted as the score."""
        return self.prediction is not None and self.model is not None and self.model.form != "class"


def count_files(files: Sequence[DataFile], plan: Plan, tick: Ticker) -> Current:
    """Count the rows of all files together.

    Args:
        files: current rows.
        plan: what to count against.
        tick: told the share that was read.

    Raises:
        UsageError: a file cannot be read or is empty, or lacks a column, or holds another type in it.
    """
    window = Window(plan.profile, length=DAY, scrape_interval=DAY)
    outcomes = outcomes_of(plan.profile, plan.model) if plan.target and plan.prediction else None
    for place, file in enumerate(files):
        check_columns(file, plan)
        counts = _count(file, plan, part_of(tick, place, len(files)))
        if outcomes is not None and counts.outcomes is not None:
            outcomes.counts += counts.outcomes.counts
        # All rows of a file lie in one sub-window: nothing says that they are in the order of time.
        window.add(counts.recorder.document(), pod=str(place), now=DAY)
    sample = window.sample(DAY)
    check_types(plan, sample, " and ".join(str(file.path) for file in files))
    used = {item.name for item in plan.profile.features} | {plan.target, plan.prediction} | plan.ignored
    extra = {name: None for file in files for name in file.schema.names if name not in used}
    return Current(tuple(str(file.path) for file in files), sample, outcomes, tuple(extra))


def check_columns(file: DataFile, plan: Plan) -> None:
    """Refuse a file that lacks a column, or whose columns are of another type.

    A csv file has no types: a text in a column of numbers may be one faulty value, which is what is looked for.

    Raises:
        UsageError: it does.
    """
    schema, names = file.schema, [plan.column(item.name) for item in plan.profile.features]
    held = dict(zip(schema.names, schema.types, strict=True))
    if held.keys().isdisjoint(names):
        raise UsageError(
            f"{file.path}: has no column in common with {plan.reference}, which has {listed(names)}; "
            f"it has {listed(schema.names)}"
        )
    asked = [name for name in (plan.prediction if plan.scored else None,) if name is not None]
    for name in (*names, *asked):
        if name not in held:
            raise UsageError(
                f"{file.path}: lacks column {name!r}, which {plan.reference} has; to leave it out of both, build the "
                f"reference with --ignore {name}"
            )
    for name, feature in zip(names, plan.profile.features, strict=True):
        found = kind_of(held[name])
        if found is None or (file.rows is not None and not fits(feature, found)):
            raise UsageError(
                f"{file.path}: column {name!r} holds {held[name]}, in {plan.reference} it is {feature.kind}"
            )


def fits(feature: Feature, kind: str) -> bool:
    """Whether a column of this kind can be what the reference holds."""
    if isinstance(feature, CategoricalFeature):
        words = all(isinstance(as_number(text), str) for text in feature.categories)
        return kind == "categorical" or not words or not feature.categories
    if feature.kind == "datetime":
        return kind == "datetime"
    return kind in {"numeric", "boolean"}


def check_types(plan: Plan, sample: Sample, where: str) -> None:
    """Refuse a column of a csv file that held not one value of the kind that it is to hold.

    Raises:
        UsageError: there is one. Some such values are a data fault; nothing else is the wrong column.
    """
    for index, feature in enumerate(plan.profile.features):
        if isinstance(feature, CategoricalFeature):
            continue
        _, _, missing, other = sample.total[sample.layout.specials[:, index]]
        if other and other + missing == sample.rows:
            raise UsageError(
                f"{where}: column {feature.name!r} holds text only, in {plan.reference} it is {feature.kind}"
            )


class FileCounts:
    """What one pass over a file counted.

    Args:
        plan: what to count against.
        labelled: whether the file has predictions and the truth.
    """

    def __init__(self, plan: Plan, *, labelled: bool) -> None:
        self.rows = 0
        self.recorder = Recorder(plan.profile, model="files", version="files", start=0.0)
        self.outcomes = outcomes_of(plan.profile, plan.model) if labelled else None
        self._plan = plan
        self._readers = {item.name: (plan.column(item.name), reader(item)) for item in plan.profile.features}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        columns = {name: read(batch.column(column)) for name, (column, read) in self._readers.items()}
        self.recorder.record(columns, workers=self._plan.workers)
        if self._plan.prediction is None or self._plan.prediction not in batch.schema.names:
            return
        predictions = read_output(batch.column(self._plan.prediction))
        if self._plan.scored:
            predictions = as_floats(predictions, self._plan.prediction)
            self.recorder.record_scores(predictions)
        if self.outcomes is not None and self._plan.target is not None:
            self.outcomes.add(predictions, read_output(batch.column(self._plan.target)))


def _count(file: DataFile, plan: Plan, tick: Ticker) -> FileCounts:
    """Count one file; anew when a column of it turns out to be of another type."""
    names = file.schema.names
    outputs = [name for name in (plan.prediction, plan.target) if name is not None and name in names]
    columns = list(dict.fromkeys([*(plan.column(item.name) for item in plan.profile.features), *outputs]))
    while True:
        counts = FileCounts(plan, labelled=len(outputs) == 2)
        try:
            for batch in file.batches(columns, tick):
                counts.add(batch)
        except RetypedError:
            continue
        if not counts.rows:
            raise UsageError(f"{file.path}: the file holds no rows")
        return counts


def as_floats(values: Values, name: str) -> Values:
    """Scores as numbers.

    Raises:
        UsageError: one is text.
    """
    if values.dtype.kind == "f":
        return values
    try:
        return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
    except ValueError as error:
        raise UsageError(f"column {name!r}: predictions must be numbers: {error}") from error


def reader(feature: Feature) -> Callable[[Column], Values | Coded]:
    """How a column is read for a feature."""
    if not isinstance(feature, CategoricalFeature):
        return READERS[feature.kind]
    known = set(feature.categories)
    numeric = {class_text(number): text for text in known if not isinstance(number := as_number(text), str)}

    def spelt(text: Any) -> Any:
        """The category that is meant: codes come as 1 or, where one was missing when pandas wrote them, as 1.0."""
        if not isinstance(text, str) or text in known or not numeric:
            return text
        number = as_number(text)
        return text if isinstance(number, str) else numeric.get(class_text(number), text)

    return lambda column: categories(column, spelt)
