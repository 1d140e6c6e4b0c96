"""MODEL_CARD.md: a summary of a version for people.

It contains no time and no host, so that equal runs give equal cards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import short_version
from perennate.lineage import data_digest, environment_digest
from perennate.text import code_span, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.stage_result import RunWarning
    from perennate.drift import Profile
    from perennate.gates import ChampionVerdict
    from perennate.trainer.evaluation.evaluation import ModelEvaluation


def model_card(
    record: RunRecord,
    evaluation: ModelEvaluation,
    profile: Profile,
    *,
    estimator: str,
    positive_class: str | None,
    features: tuple[FeatureSchema, ...],
    fingerprint: str,
    environment: Mapping[str, str],
    warnings: Sequence[RunWarning] = (),
) -> str:
    """The card in Markdown.

    Args:
        record: the record of the run.
        evaluation: metrics, gates and comparison.
        profile: the model's reference profile, for the standard errors.
        estimator: public import path of the fitted estimator.
        positive_class: the positive one of two classes, if there is one.
        features: columns of the model.
        fingerprint: fingerprint of the record.
        environment: versions by library.
        warnings: of the run.
    """
    sections = (
        f"# {record.model}",
        _summary(record, len(features), estimator),
        "## Performance",
        f"On {record.holdout_rows} hold-out rows that it was not trained on ({_holdout(record)}).",
        _table(("metric", "value", "standard error"), _metric_rows(evaluation, profile)),
        *_gates(evaluation),
        *_champion(evaluation.champion),
        *_warnings(warnings),
        "## What it was trained on",
        _table(("", ""), _data_rows(record, fingerprint, positive_class, environment)),
        "## Columns",
        _table(("column", "type"), ((code_span(feature.name), _type(feature)) for feature in features)),
        *_trainer(record),
        "## Environment",
        _table(
            ("library", "version"),
            ((markdown(library), markdown(version)) for library, version in sorted(environment.items())),
        ),
    )
    return "\n\n".join(sections) + "\n"


def _summary(record: RunRecord, columns: int, estimator: str) -> str:
    target, fitted = code_span(record.target), code_span(estimator)
    return f"A model for {record.task} of {target} from {columns} columns, fitted with {fitted}."


def _type(feature: FeatureSchema) -> str:
    return f"{feature.type} or null" if feature.nullable else feature.type


def _metric_rows(evaluation: ModelEvaluation, profile: Profile) -> Iterable[tuple[str, str, str]]:
    for metric, value in evaluation.values.items():
        baseline = profile.metrics.get(metric.value)
        yield metric.value, f"{value:.6g}", "" if baseline is None else f"{baseline.standard_error:.3g}"


def _holdout(record: RunRecord) -> str:
    holdout = record.spec.data.holdout
    if holdout.time_column is not None:
        return f"the newest {holdout.fraction:.6g} by {code_span(holdout.time_column)}"
    if holdout.group_column is not None:
        groups = code_span(holdout.group_column)
        return f"random groups of {groups} with a share of {holdout.fraction:.6g}, seed {record.seed}"
    return f"a random share of {holdout.fraction:.6g}, seed {record.seed}"


def _gates(evaluation: ModelEvaluation) -> tuple[str, ...]:
    if not evaluation.gates:
        return ()
    return (
        "## Gates",
        "\n".join(f"- {gate.outcome.value.lower()}: {gate.reason}" for gate in evaluation.gates),
    )


def _champion(champion: ChampionVerdict | None) -> tuple[str, ...]:
    if champion is None:
        return ()
    against = f" (version {code_span(short_version(champion.version))})" if champion.version else ""
    return ("## Comparison with the champion", f"{champion.reason}{against}.")


def _warnings(warnings: Sequence[RunWarning]) -> tuple[str, ...]:
    if not warnings:
        return ()
    return ("## Warnings", "\n".join(f"- {warning.reason}: {markdown(warning.message)}." for warning in warnings))


def _data_rows(
    record: RunRecord, fingerprint: str, positive: str | None, environment: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    data = record.spec.data
    if data.train is not None:
        yield "source", f"{code_span(data.train.uri)} ({data.train.format})"
    if data.captured is not None:
        deployment = code_span(data.captured.model_deployment)
        yield "source", f"labelled traffic of {deployment}, the last {data.captured.window}"
    if positive is not None:
        yield "positive class", code_span(positive)
    yield "training rows", str(record.train_rows)
    yield "hold-out rows", str(record.holdout_rows)
    yield "digest of the rows", code_span(data_digest(record.train_digest, record.holdout_digest))
    yield "seed", str(record.seed)
    yield "fingerprint of the run", code_span(fingerprint)
    yield "digest of the parameters", code_span(record.parameters_digest)
    yield "digest of the environment", code_span(environment_digest(environment))


def _trainer(record: RunRecord) -> tuple[str, ...]:
    trainer = record.spec.trainer
    if trainer.container is not None:
        return ("## Trainer", f"Container {code_span(trainer.container.image)}.")
    if trainer.estimator is None:
        return ()
    steps = [*trainer.estimator.preprocessing, trainer.estimator]
    rows = (
        (code_span(step.class_), markdown(", ".join(f"{key}={value!r}" for key, value in sorted(step.params.items()))))
        for step in steps
    )
    return ("## Trainer", _table(("step", "parameters"), rows))


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """A table cell: a bar would end it, also inside of code."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)
