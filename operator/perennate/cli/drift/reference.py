"""The profile of a reference file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.columns.features import (
    ReferenceColumn,
    as_categories,
    build_feature,
    read_output,
    reference_column,
)
from perennate.cli.drift.options import ColumnRoles
from perennate.cli.drift.outputs.counts import ConfusionCounts, known
from perennate.cli.drift.outputs.model import MOST_CLASSES, PREDICTED, Model, infer_model
from perennate.drift import Profile, ProfileError, build_profile
from perennate.drift.data.threads import map_in_threads
from perennate.drift.profile.build import THRESHOLD
from perennate.drift.profile.features import Feature
from perennate.drift.profile.outputs import TARGET
from perennate.tabular.errors import UsageError
from perennate.tabular.kinds import MOST_SHOWN, as_arguments, kinds_of, listed, missing
from perennate.tabular.reading import DataFile, RetypedError, Ticker, no_rows, part_of, usable
from perennate.tabular.sampling import RowSample
from perennate.tabular.values import Column, Values

MAX_WORKERS = 4
"""More threads help little: one thread reads, which takes most of the time, and each thread holds a column."""
HELD_VALUES = 32_000_000
"""Maximum number of values in memory: 256 MB of numbers."""
HELD_ROWS = HELD_VALUES // MAX_WORKERS
"""Maximum rows of one column in memory. It does not depend on the number of workers, so that every machine draws the
same sample. More rows do not improve the quantiles."""
CONFIDENCE = 0.95
RESERVED = ("score", "prediction", PREDICTED)


def workers() -> int:
    """Number of threads: the cores that this process may use, at most `MAX_WORKERS`."""
    usable_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable_cores or 1, MAX_WORKERS)


@dataclass(frozen=True)
class ReferenceData:
    """The reference data.

    Args:
        name: name of the file.
        profile: the profile of the rows.
        model: how predictions are read; None without predictions.
        rows: number of rows of the file.
        remarks: sentences on how it was read.
    """

    name: str
    profile: Profile
    model: Model | None
    rows: int
    remarks: tuple[str, ...] = ()


def read_reference(
    file: DataFile, roles: ColumnRoles, *, limit: int | None, workers: int = 1, tick: Ticker
) -> ReferenceData:
    """Build the profile of a file.

    If the format allows it, one column per worker is read at a time to limit memory. More rows than fit are sampled
    uniformly and deterministically.

    Args:
        file: file with the reference rows.
        roles: the roles of its columns.
        limit: maximum rows in memory; None: as many as fit.
        workers: number of threads, at most MAX_WORKERS.
        tick: receives the share that was read.

    Raises:
        UsageError: the file cannot be read or has no rows, or a column is missing or cannot be compared.
    """
    while True:
        try:
            return _read(file, roles, limit, workers, tick)
        except RetypedError:
            continue
        except ProfileError as error:
            raise UsageError(f"{file.name}: {error}") from error


def _read(file: DataFile, roles: ColumnRoles, limit: int | None, workers: int, tick: Ticker) -> ReferenceData:
    """One pass over the file."""
    kinds = kinds_of(file.name, file.schema, given=roles.kinds, ignored=roles.ignored)
    if roles.time is not None:
        kinds.pop(roles.time, None)
    outputs = _outputs(file, roles, kinds)
    names = [name for name in kinds if name not in outputs]
    if not names:
        raise UsageError(f"{file.name}: there is no column to compare")
    if "" in names:
        raise UsageError(f"{file.name}: a column has no name; rename it, or exclude it with --ignore ''")
    reserved = next((name for name in names if name in RESERVED), None)
    if reserved is not None:
        raise UsageError(
            f"{file.name}: column {reserved!r} has a reserved name: give it as --prediction, "
            f"exclude it with --ignore {reserved}, or rename it"
        )
    width = columns_at_once(file.rows or 0, limit, workers)
    groups = _groups(file, names, outputs, width)
    found: list[ReferenceColumn] = []
    given: dict[str, Values] = {}
    for index, group in enumerate(groups):
        max_rows = limit or min(HELD_VALUES // len(group), HELD_ROWS)
        table, rows = _hold(file, group, max_rows, part_of(tick, index, len(groups)))
        for name in outputs:
            if name in group:
                with usable(file.name, name):
                    given[name] = read_output(table[name])
        columns = {name: table[name] for name in group if name not in outputs}
        found += map_in_threads(
            workers, lambda item: _feature(file, *item, kinds, item[0] in roles.kinds), columns.items()
        )
    _refuse_problems(file, found)
    features = [item.feature for item in found]
    model, profile = _outline(file, roles, given, table.num_rows)
    if model is not None and model.form == "class" and roles.prediction is not None:
        features.append(build_feature(PREDICTED, "categorical", as_categories(given[roles.prediction])))
    target = given.get(roles.target or "")
    profile = replace(
        profile, features=tuple(features), target=None if target is None else target_feature(target, model)
    )
    # A profile that is written must be readable, so the checks of the reader apply.
    remarks = *file.remarks, *(item.remark for item in found if item.remark)
    return ReferenceData(file.name, Profile.from_document(profile.to_document()), model, rows, remarks)


def _refuse_problems(file: DataFile, columns: list[ReferenceColumn]) -> None:
    """Refuse columns that cannot be compared.

    Raises:
        UsageError: there are some; the message names them and what to do.
    """
    problems = [item.problem for item in columns if item.problem]
    if problems:
        names = [item.feature.name for item in columns if item.problem]
        more = f" and {len(problems) - MOST_SHOWN} more columns" if len(problems) > MOST_SHOWN else ""
        raise UsageError(
            f"{file.name}: text with too many different values to compare in {'; '.join(problems[:MOST_SHOWN])}{more}; "
            f"--categorical {as_arguments(names)} compares it nevertheless"
        )


def _outputs(file: DataFile, roles: ColumnRoles, kinds: dict[str, FeatureKind]) -> list[str]:
    """The given columns with predictions and true labels."""
    for role in ("prediction", "target"):
        name = getattr(roles, role)
        if name is not None and name not in kinds:
            words = missing([name], kinds.keys())
            raise UsageError(f"{file.name}: there is no column {words} for --{role}; it has {listed(kinds)}")
        if name is not None and kinds[name] == "datetime":
            raise UsageError(f"{file.name}: column {name!r} holds dates, a --{role} must hold numbers or classes")
    return [name for name in (roles.prediction, roles.target) if name is not None]


def columns_at_once(rows: int, limit: int | None, workers: int) -> int:
    """Number of columns in memory: one per worker, and no more than HELD_VALUES values if one column fits.

    Args:
        rows: number of rows of the file.
        limit: maximum rows in memory; None: HELD_ROWS.
        workers: number of threads.
    """
    rows_held = max(1, min(rows, limit or HELD_ROWS))
    return max(1, min(workers, HELD_VALUES // rows_held))


def _groups(file: DataFile, names: list[str], outputs: list[str], width: int) -> list[list[str]]:
    """Groups of columns to read together; all columns of a csv file, because each pass parses the whole file."""
    if file.rows is None:
        return [[*names, *outputs]]
    groups = [names[start : start + width] for start in range(0, len(names), width)]
    return [*groups, outputs] if outputs else groups


def _hold(file: DataFile, columns: list[str], limit: int, tick: Ticker) -> tuple[pa.Table, int]:
    """The rows of some columns, sampled if there are too many, and the number of rows of the file."""
    sample = RowSample(limit, file.rows)
    for batch in file.batches(columns, tick):
        sample.add(batch)
    if not sample.seen:
        raise no_rows(file)
    return sample.table(file.schema), sample.seen


def _outline(file: DataFile, roles: ColumnRoles, given: dict[str, Values], rows: int) -> tuple[Model | None, Profile]:
    """The model, and a profile without features."""
    stand_in = {"rows": np.zeros(rows)}
    if roles.prediction is None:
        return None, build_profile(stand_in, task="regression")
    predictions, truth = given[roles.prediction], given.get(roles.target or "")
    model = infer_model(predictions, truth, task=roles.task, positive=roles.positive, where=file.name)
    if roles.threshold is not None and model.form != "probability":
        raise UsageError(f"{file.name}: --threshold needs predictions that are probabilities of one of two classes")
    if model.form == "class":
        metrics = {}
        if truth is not None:
            counts = ConfusionCounts(model.classes)
            counts.add(predictions, truth)
            measured = counts.measured(CONFIDENCE).values()
            metrics = {found.metric: (found.value, found.standard_error) for found in measured}
        return model, build_profile(stand_in, task="classification", classes=model.classes, metrics=metrics)
    kept = np.isfinite(predictions) & (known(truth) if truth is not None else True)
    if not kept.any():
        raise UsageError(f"{file.name}: no row has a prediction" + (" and a true label" if truth is not None else ""))
    return model, build_profile(
        stand_in,
        task=model.task,
        score=predictions[kept],
        labels=None if truth is None else truth[kept],
        unscored=int(np.isnan(predictions if truth is None else predictions[known(truth)]).sum()),
        classes=model.classes,
        threshold=THRESHOLD if roles.threshold is None else roles.threshold,
    )


def _feature(file: DataFile, name: str, column: Column, kinds: dict[str, FeatureKind], given: bool) -> ReferenceColumn:
    """One column as a feature."""
    with usable(file.name, name):
        return reference_column(name, column, kinds[name], decimal=file.decimal, typed=file.typed, given=given)


def target_feature(values: Values, model: Model | None) -> Feature:
    """The true values as a feature: numbers of a regression, else classes.

    Args:
        values: floats with NaN, or objects with None, (rows,).
        model: how predictions are read; None without predictions.
    """
    classes = MOST_CLASSES if model is None else 0 if model.form == "number" else values.size
    if values.dtype.kind == "f" and np.unique(values[~np.isnan(values)]).size > classes:
        return build_feature(TARGET, "numeric", values)
    return build_feature(TARGET, "categorical", as_categories(values))
