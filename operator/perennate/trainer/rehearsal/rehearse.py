"""Everything that will happen to the model, tried on a few rows before the fit on all of them."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_spec import RecordedSpec
from perennate.artifacts import VerifiedVersion, load_verified
from perennate.lineage import environment_digest, library_versions, parameters_digest
from perennate.serving.model.model import ServedModel
from perennate.trainer.causes import UNSEEN, known_cause, listed
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import BadConfigurationError, is_transient, refusing
from perennate.trainer.evaluation.convergence import DivergedError
from perennate.trainer.model.estimator import FIELD
from perennate.trainer.model.fitting import fit_new, format_of, save, words_of
from perennate.trainer.progress import report
from perennate.trainer.rehearsal.sample_size import MORE_ROWS, holds_for_all_rows
from perennate.trainer.rehearsal.unseen import trials
from perennate.trainer.version.answers import check_answers, records_of
from perennate.trainer.version.build import try_version
from perennate.trainer.version.rows import ROWS, choose_rows
from perennate.trainer.version.trained import Trained

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

    from perennate.api.documents.run_spec import Estimator
    from perennate.api.documents.training_record import TrainingRecord
    from perennate.trainer.rehearsal.unseen import Unseen

WHERE: Final = f"{FIELD}: rehearsed on {{}} training rows, "
"""Begins the message of an error after the fit; holds the place of the number of rows."""


@dataclass(frozen=True)
class Rehearsal:
    """The rehearsal of a run.

    Args:
        record: description of the training rows.
        spec: its estimator.
        table: the training rows.
        unseen: values that only hold-out rows have.
    """

    record: TrainingRecord
    spec: Estimator
    table: pa.Table
    unseen: Unseen

    def run(self) -> None:
        """Fit, save, audit, load, predict, profile and serve on a few rows.

        Does nothing more if the fit fails in a way that may come from the small number of rows.

        Raises:
            BadConfigurationError: the run cannot succeed; the message names the columns and the cause.
        """
        started = time.monotonic()
        # The fit on all rows shows its own warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows, estimator = self._fit()
            outcome = "unknown" if estimator is None else self._use(estimator, rows)
        seconds = round(time.monotonic() - started, 2)
        report("train", step="rehearsed", rows=rows.num_rows, outcome=outcome, seconds=seconds)

    def _fit(self) -> tuple[pa.Table, Any | None]:
        """Some rows, and the estimator fitted on them; None if only the fit on all rows can tell."""
        rows = self._rows(ROWS)
        try:
            return rows, self._fit_on(rows)
        except BadConfigurationError as error:
            first = error
        rows = self._rows(MORE_ROWS)
        try:
            return rows, self._fit_on(rows)
        except BadConfigurationError as error:
            all_rows = rows.num_rows == self.table.num_rows
            features = frame(rows, self.record.features)
            if holds_for_all_rows(first.__cause__ or first, error.__cause__ or error, features, all_rows=all_rows):
                raise
        return rows, None

    def _rows(self, count: int) -> pa.Table:
        record = self.record
        classes = record.task == "classification"
        chosen = choose_rows(self.table, record.features, record.target, classes=classes, seed=record.seed, rows=count)
        return self.table.take(chosen)

    def _fit_on(self, rows: pa.Table) -> Any:
        record = self.record
        features, target = frame(rows, record.features), labels(rows, record.target)
        return fit_new(self.spec, features, target, seed=record.seed)

    def _use(self, estimator: Any, rows: pa.Table) -> str:
        """Do with the model what publish and a serving pod will do."""
        where = WHERE.format(rows.num_rows)
        model_format = format_of(self.spec.class_)
        content = save(estimator, model_format)
        features = frame(rows, self.record.features)
        with refusing(f"{where}the saved model cannot be loaded"):
            loaded = model_format.load(content)
        with refusing(f"{where}the model cannot predict the rows that it was fitted on", features, known=self._known):
            expected = model_format.predict(loaded, features)
        record = record_of(self.record, rows)
        trained = Trained(record, model_format, content, loaded, library_versions(), train=rows, holdout=rows)
        try:
            with refusing(f"{where}no version can be made of the model", features, known=self._known):
                manifest, files = try_version(trained)
        except DivergedError:
            if rows.num_rows == self.table.num_rows:
                raise
            # With more rows the fit may converge.
            return "diverged"
        with refusing(f"{where}the version cannot be served", features, known=self._known):
            served = ServedModel(load_verified(VerifiedVersion(manifest, files)), manifest.digest)
            check_answers(served, records_of(features), expected)
        self._try_unseen(loaded, features)
        return "passed"

    @property
    def _known(self) -> set[str]:
        return words_of(self.spec)

    def _try_unseen(self, estimator: Any, features: pd.DataFrame) -> None:
        """Predict values that only hold-out rows have: the evaluation would fail on them, and so would traffic."""
        refused = {
            name: error
            for name, rows in _failing(estimator, trials(features[:1], self.unseen))
            if (error := _error_of(estimator, rows)) is not None
        }
        if not refused:
            return
        missing = [name for name in refused if None in self.unseen[name] and features[name].notna().all()]
        raise BadConfigurationError(
            f"{FIELD}: the model refuses values that only hold-out rows have, in the column"
            f"{'s' if len(refused) > 1 else ''} {listed(refused)}{_kinds(missing)}. New data will have such values "
            f"too: {_remedy(next(iter(refused.values())), missing)}"
        )


def record_of(record: TrainingRecord, rows: pa.Table) -> RunRecord:
    """The record of a run that trains and evaluates on these rows: a version cannot be made without one."""
    spec = RecordedSpec.of(record.spec)
    return RunRecord(
        model=record.model,
        task=record.task,
        spec=spec,
        target=record.target,
        features=record.features,
        train_digest=record.train_digest,
        holdout_digest=record.train_digest,
        train_rows=rows.num_rows,
        holdout_rows=rows.num_rows,
        seed=record.seed,
        parameters_digest=parameters_digest(spec, target=record.target, features=record.features),
        environment_digest=environment_digest(library_versions()),
    )


def _failing(estimator: Any, tried: Sequence[tuple[str, pd.DataFrame]]) -> list[tuple[str, pd.DataFrame]]:
    """The trials with which a prediction fails, found by halving."""
    import pandas as pd  # noqa: PLC0415 - a slow import

    if not tried or _error_of(estimator, pd.concat([rows for _, rows in tried], ignore_index=True)) is None:
        return []
    if len(tried) == 1:
        return list(tried)
    middle = len(tried) // 2
    return [*_failing(estimator, tried[:middle]), *_failing(estimator, tried[middle:])]


def _error_of(estimator: Any, rows: pd.DataFrame) -> Exception | None:
    try:
        estimator.predict(rows)
    # Any exception of the model means that it refuses the rows.
    except Exception as error:
        if is_transient(error):
            raise
        return error
    return None


def _kinds(missing: Sequence[str]) -> str:
    return f" (in {listed(missing)} a value is missing)" if missing else ""


def _remedy(error: Exception, missing: Sequence[str]) -> str:
    if missing:
        return (
            f"put sklearn.impute.SimpleImputer into {FIELD}.preprocessing, or use an estimator that supports missing "
            "values, such as HistGradientBoosting"
        )
    hint = (
        "set handle_unknown: ignore in OneHotEncoder, or handle_unknown: use_encoded_value with unknown_value: -1 in "
        "OrdinalEncoder. An encoder in preprocessing applies to every column, so numbers need another way"
        if known_cause(error) is UNSEEN
        else "use an estimator or preprocessing that accepts them"
    )
    return f"{hint}; or leave the columns out with spec.data.exclude"
