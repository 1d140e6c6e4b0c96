"""The profile: distributions of the training data as counts. It contains no rows.

Serving pods count against it, and the operator compares their counts with it. Its canonical JSON bytes are
`profile.json` of a model version. Their SHA-256 is the key of all counts, so counts against different profiles are
never added.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from perennate.drift.data.arrays import Ints
from perennate.drift.data.documents import Node, abbreviated
from perennate.drift.data.errors import ProfileError
from perennate.drift.data.parsing import check_containers, decode
from perennate.drift.profile.checks import check_holdout, check_names, check_outputs, check_sums
from perennate.drift.profile.features import Feature, read_feature
from perennate.drift.profile.outputs import BINARY_CLASSES, PREDICTION, SCORE, Residual, Score

SCHEMA = "perennate.dev/profile/v2"
OLD_SCHEMA = "perennate.dev/profile/v1"
"""Still read. It has no quantiles, no predicted classes and no residuals."""
MAX_BYTES = 4 * 1024 * 1024
"""Size limit of `profile.json`, checked before it is decoded; a profile of 30 features has less than 50 kB."""
MAX_FEATURES = 3000
"""Reading more features would take longer than a second."""
MAX_CONTAINERS = 8 * MAX_FEATURES
"""Objects and lists; a feature has at most five."""
MAX_METRICS = 100
_NO_FEATURES = b'"features":[]'
"""The empty list of features in canonical JSON. It occurs once: inside a JSON string the quotes are escaped."""
MAX_CONFUSION = 30
"""Up to this many classes, labels are counted by predicted and true class."""

Task = Literal["classification", "regression"]
LabelKind = Literal["scores", "classes", "residuals"]


@dataclass(frozen=True)
class Metric:
    """A baseline metric of the hold-out rows with its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of one model version.

    Args:
        task: classification or regression.
        features: input columns of the model in order, from training rows.
        score: output of the model, from hold-out rows; None without them, and then score drift is not evaluated.
        classes: class texts; of two, the negative and the positive one; more in the order of predict_proba; empty for
            regression.
        metrics: baseline metrics on the hold-out rows, by name.
        rows: training rows.
        holdout_rows: hold-out rows.
        prediction: hold-out rows by predicted class, (classes,), for more than two classes; None if unknown.
        residual: residuals of a regression on the hold-out rows; None if unknown.
        target: true classes or values of the hold-out rows; None if unknown, and then the target is not compared.
        content: the bytes that the profile was read from, if they differ from its canonical form; else None.
    """

    task: Task
    features: tuple[Feature, ...]
    score: Score | None
    classes: tuple[str, ...]
    metrics: dict[str, Metric]
    rows: int
    holdout_rows: int
    prediction: Ints | None = None
    residual: Residual | None = None
    target: Feature | None = None
    content: bytes | None = field(default=None, repr=False)

    @property
    def positive(self) -> str | None:
        """The positive class, whose probability is the score; None unless there are two classes."""
        return self.classes[1] if len(self.classes) == BINARY_CLASSES else None

    @property
    def label_kind(self) -> LabelKind | None:
        """How labels are counted: by score bin and class, by predicted and true class, or as residuals; None if not."""
        if self.task == "regression":
            return None if self.residual is None else "residuals"
        if self.score is not None and self.score.kind == "probability":
            return "scores"
        return "classes" if BINARY_CLASSES < len(self.classes) <= MAX_CONFUSION else None

    @property
    def labels_not_counted_reason(self) -> str:
        """Why labels are not counted, for messages; empty if they are."""
        if self.label_kind is not None:
            return ""
        if len(self.classes) > MAX_CONFUSION:
            return f"labels are counted for at most {MAX_CONFUSION} classes, this model has {len(self.classes)}"
        what = "labelled hold-out rows" if self.task == "regression" else "hold-out rows and probabilities"
        return f"labels of this model are not counted: its profile was built without {what}"

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the digest of `to_bytes()`: the key of all counts against this profile."""
        return _digest(self.to_bytes())

    def to_document(self) -> dict[str, Any]:
        """The JSON form, in the newest schema."""
        return self._outline() | {"features": [feature.to_document() for feature in self.features]}

    def _outline(self) -> dict[str, Any]:
        """The JSON form without the features."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "rows": self.rows,
            "holdoutRows": self.holdout_rows,
            "features": [],
            "score": None if self.score is None else self.score.to_document(),
            "classes": list(self.classes),
            "metrics": {
                name: {"value": metric.value, "standardError": metric.standard_error}
                for name, metric in sorted(self.metrics.items())
            },
            "prediction": None if self.prediction is None else {"counts": self.prediction.tolist()},
            "residual": None if self.residual is None else self.residual.to_document(),
            **({} if self.target is None else {"target": self.target.to_document()}),
        }

    def to_bytes(self) -> bytes:
        """The content of `profile.json`: the bytes that were read, else canonical JSON."""
        if self.content is not None:
            return self.content
        # One feature at a time, because the lists of a feature take ten times the memory of its JSON.
        before, after = _canonical(self._outline()).split(_NO_FEATURES)
        features = b",".join(_canonical(feature.to_document()) for feature in self.features)
        return b"".join((before, _NO_FEATURES[:-1], features, _NO_FEATURES[-1:], after))

    @classmethod
    def from_document(cls, document: object) -> Profile:
        """Read and validate the JSON form.

        Raises:
            ProfileError: a field is missing, unknown or has a value that is not allowed; the message names it.
        """
        profile, content = cls._read(document), _canonical(document)
        return profile if content == profile.to_bytes() else replace(profile, content=content)

    @classmethod
    def _read(cls, document: object) -> Profile:
        """Read and validate the JSON form, without `content`."""
        node = Node(document, "", ProfileError)
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema not in (SCHEMA, OLD_SCHEMA):
            raise ProfileError(
                f"schema: must be {SCHEMA!r} or {OLD_SCHEMA!r}, got {abbreviated(schema)}; "
                "read it with the release that wrote it"
            )
        old = schema == OLD_SCHEMA
        required = "schema", "task", "rows", "holdoutRows", "features", "score", "classes", "metrics"
        fields = node.fields(
            required if old else (*required, "prediction", "residual"), optional=() if old else ("target",)
        )
        features = _read_features(fields["features"])
        check_names(features, (SCORE,) if old else (SCORE, PREDICTION))
        profile = cls(
            task=fields["task"].text(allowed=("classification", "regression")),  # type: ignore[arg-type]
            features=features,
            score=None if fields["score"].value is None else Score.from_node(fields["score"], old=old),
            classes=fields["classes"].texts(),
            metrics=_read_metrics(fields["metrics"]),
            rows=fields["rows"].count(),
            holdout_rows=fields["holdoutRows"].count(),
            prediction=None if old else _read_prediction(fields["prediction"], fields["classes"]),
            residual=None if old or fields["residual"].value is None else Residual.from_node(fields["residual"]),
            target=read_feature(fields["target"]) if "target" in fields else None,
        )
        check_sums(profile.features, profile.rows)
        outputs = profile.score, profile.prediction, profile.residual
        check_outputs(profile.task, profile.classes, *outputs)
        check_holdout(profile.holdout_rows, *outputs)
        return profile

    @classmethod
    def from_bytes(cls, content: bytes, *, digest: str | None = None) -> Profile:
        """Read and validate `profile.json`.

        Args:
            content: the file.
            digest: expected digest, if known; checked before the content is decoded.

        Raises:
            ProfileError: the content is too large, has another digest, or is not a valid profile.
        """
        if len(content) > MAX_BYTES:
            raise ProfileError(f"document: must have at most {MAX_BYTES} bytes, got {len(content)}")
        if digest is not None and _digest(content) != digest:
            raise ProfileError(f"document: must have the digest {digest}, got {_digest(content)}")
        check_containers(content, MAX_CONTAINERS, ProfileError)
        profile = cls._read(decode(content, object, ProfileError))
        return profile if content == profile.to_bytes() else replace(profile, content=content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _canonical(document: object) -> bytes:
    """Encode a document as canonical JSON."""
    try:
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise ProfileError(f"document: must be representable in JSON: {error}") from error


def _read_features(node: Node) -> tuple[Feature, ...]:
    """Read and validate the features."""
    if isinstance(node.value, list) and not 0 < len(node.value) <= MAX_FEATURES:
        raise ProfileError(f"features: must have 1 to {MAX_FEATURES} items, got {len(node.value)}")
    return tuple(read_feature(item) for item in node.items())


def _read_metrics(node: Node) -> dict[str, Metric]:
    """Read and validate the baseline metrics."""
    if not isinstance(node.value, dict) or len(node.value) > MAX_METRICS:
        node.refuse(f"an object of at most {MAX_METRICS} metrics")
    metrics = {}
    for name, item in node.fields((), optional=node.value.keys()).items():
        Node(name, node.path, node.error).text()
        fields = item.fields(("value", "standardError"))
        metrics[name] = Metric(fields["value"].number(), fields["standardError"].number())
        if metrics[name].standard_error < 0:
            fields["standardError"].refuse("a number of at least 0")
    return metrics


def _read_prediction(node: Node, classes: Node) -> Ints | None:
    """Read hold-out rows by predicted class."""
    if node.value is None:
        return None
    return node.fields(("counts",))["counts"].counts(length=len(classes.texts()))
