"""The profile: what the training data looked like, as counts.

Serving pods count against it and the operator compares with it. It holds no row. Its canonical JSON bytes are
`profile.json` of a model version, and their SHA-256 is the key under which counts are kept, so that counts against two
profiles are never added.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

from perennate.drift.documents import DocumentError, Node
from perennate.drift.features import Feature, Score, ScoreKind, read_feature

SCHEMA = "perennate.dev/profile/v1"
MAX_BYTES = 4 * 1024 * 1024
"""A profile of 30 features has less than 50 kB; a file larger than this is refused unread."""
SCORE = "score"
"""Name of the score in results; a feature cannot have it."""
BINARY_CLASSES = 2

Task = Literal["classification", "regression"]


class ProfileError(DocumentError):
    """A profile that cannot be built or read; the message names the field."""


@dataclass(frozen=True)
class Metric:
    """A baseline metric of the hold-out rows with its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True, eq=False)
class Profile:
    """The reference of one model version.

    Args:
        task: what the model does.
        features: its input columns in their order, from training rows.
        score: its output, from hold-out rows; None if there were none, and then nothing is said about the score.
        classes: classes as text, in the order of predict_proba; empty for regression.
        metrics: baseline metrics on the hold-out rows, by name.
        rows: training rows.
        holdout_rows: hold-out rows.
    """

    task: Task
    features: tuple[Feature, ...]
    score: Score | None
    classes: tuple[str, ...]
    metrics: dict[str, Metric]
    rows: int
    holdout_rows: int

    @property
    def positive(self) -> str | None:
        """The positive class, which the score is the probability of; None unless there are two classes."""
        return self.classes[1] if len(self.classes) == BINARY_CLASSES else None

    @property
    def counts_labels(self) -> bool:
        """Whether labels can be booked into score bins: two classes and a score."""
        return self.score is not None and self.score.kind == "probability"

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the digest of `to_bytes()`: the key of all counts against this profile."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "rows": self.rows,
            "holdoutRows": self.holdout_rows,
            "features": [feature.to_document() for feature in self.features],
            "score": None if self.score is None else self.score.to_document(),
            "classes": list(self.classes),
            "metrics": {
                name: {"value": metric.value, "standardError": metric.standard_error}
                for name, metric in sorted(self.metrics.items())
            },
        }

    def to_bytes(self) -> bytes:
        """The content of `profile.json`: keys sorted, no spaces, UTF-8; one profile, one form."""
        return json.dumps(
            self.to_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()

    @classmethod
    def from_document(cls, document: object) -> Profile:
        """Read and check the JSON form.

        Raises:
            ProfileError: a field is missing, unknown or has a value that is not allowed; the message names it.
        """
        node = Node(document, "", ProfileError)
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise ProfileError(f"schema: must be {SCHEMA!r}, got {schema!r}; read it with the release that wrote it")
        own = "schema", "task", "rows", "holdoutRows", "features", "score", "classes", "metrics"
        fields = node.fields(own)
        features = tuple(read_feature(item) for item in fields["features"].items())
        _check_names(features)
        profile = cls(
            task=fields["task"].text(allowed=("classification", "regression")),  # type: ignore[arg-type]
            features=features,
            score=None if fields["score"].value is None else Score.from_node(fields["score"]),
            classes=fields["classes"].texts(),
            metrics=_read_metrics(fields["metrics"]),
            rows=fields["rows"].count(),
            holdout_rows=fields["holdoutRows"].count(),
        )
        _check_sums(profile)
        _check_score(profile)
        return profile

    @classmethod
    def from_bytes(cls, content: bytes) -> Profile:
        """Read and check `profile.json`.

        Raises:
            ProfileError: it is too large, no JSON, or not a profile.
        """
        if len(content) > MAX_BYTES:
            raise ProfileError(f"document: must have at most {MAX_BYTES} bytes, got {len(content)}")
        try:
            document = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            if isinstance(error, ProfileError):
                raise
            raise ProfileError(f"document: must be JSON: {error}") from error
        return cls.from_document(document)


def _refuse_constant(constant: str) -> NoReturn:
    """NaN and infinities are no JSON, although Python's reader takes them."""
    raise ProfileError(f"document: must hold finite numbers only, got {constant}")


def _read_metrics(node: Node) -> dict[str, Metric]:
    """Read the baseline metrics."""
    if not isinstance(node.value, dict):
        node.refuse("an object of metrics")
    metrics = {}
    for name, item in node.fields((), optional=node.value.keys()).items():
        fields = item.fields(("value", "standardError"))
        metrics[name] = Metric(fields["value"].number(), fields["standardError"].number())
        if metrics[name].standard_error < 0:
            fields["standardError"].refuse("a number from 0")
    return metrics


def _check_names(features: tuple[Feature, ...]) -> None:
    """Features are known by name, so names must be there, differ, and leave the score's alone."""
    seen: set[str] = set()
    for index, feature in enumerate(features):
        if not feature.name or feature.name == SCORE or feature.name in seen:
            raise ProfileError(
                f"features[{index}].name: must be a name of its own other than {SCORE!r}, got {feature.name!r}"
            )
        seen.add(feature.name)
    if not features:
        raise ProfileError("features: must have at least one item, got none")


def _check_sums(profile: Profile) -> None:
    """Every row adds one to exactly one cell of each feature."""
    for index, feature in enumerate(profile.features):
        total = int(feature.counts.sum()) + feature.missing + feature.other
        if total != profile.rows:
            raise ProfileError(
                f"features[{index}]: counts, missing and other must add up to rows = {profile.rows}, got {total}"
            )


def _check_score(profile: Profile) -> None:
    """The kind of the score follows from the task and the number of classes."""
    if (profile.task == "regression") != (not profile.classes) or len(profile.classes) == 1:
        raise ProfileError(f"classes: must be none for regression, else two or more, got {len(profile.classes)}")
    if profile.score is None:
        return
    wanted = score_kind(profile.classes)
    if profile.score.kind != wanted:
        raise ProfileError(f"score.kind: must be {wanted!r} here, got {profile.score.kind!r}")
    total = int(profile.score.counts.sum())
    if total != profile.holdout_rows:
        raise ProfileError(f"score.counts: must add up to holdoutRows = {profile.holdout_rows}, got {total}")


def score_kind(classes: tuple[str, ...]) -> ScoreKind:
    """What the score is: probability of the second of two classes, of the likeliest of more, or a prediction."""
    if not classes:
        return "prediction"
    return "probability" if len(classes) == BINARY_CLASSES else "confidence"
