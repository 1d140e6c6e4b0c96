"""Whether a new version accepts every prediction request that the version in service accepts.

A request has a value for every feature, of the feature's type, and null only where that is allowed. So a new version is
incompatible if it has a new feature, if a feature has another type, or if a feature must no longer be null. A dropped
feature is compatible, because a pod ignores other fields unless `serving.strict` is set. Categories do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from perennate.api.documents.model_manifest import PROFILE_FILE, FeatureSchema
from perennate.api.documents.stage_result import RunWarning, WarningReason
from perennate.artifacts import ArtifactError, ArtifactNotFoundError
from perennate.drift import Profile, ProfileError
from perennate.trainer.data.columns import feature_type
from perennate.trainer.data.frames import frame
from perennate.trainer.run_warnings.wording import described

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import ChampionRequest
    from perennate.artifacts import ModelStore

PROBED_ROWS: Final = 5
SHOWN: Final = 3


@dataclass(frozen=True)
class AcceptedRequests:
    """The requests that the version in service accepts.

    Args:
        types: type of each feature, by name.
        nullable: features that may be null.
        strict: whether its pods refuse fields that are not features.
    """

    types: Mapping[str, str]
    nullable: Collection[str]
    strict: bool = False


@dataclass(frozen=True)
class Compatibility:
    """The input schema of a new version, and what it would refuse.

    Args:
        features: the features, each with whether it may be null.
        incompatible: what the new version would refuse, one sentence each.
        required: whether that fails the run.
    """

    features: tuple[FeatureSchema, ...]
    incompatible: tuple[str, ...]
    required: bool

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the version is not published; empty if it is."""
        return (self._describe(),) if self.incompatible and self.required else ()

    @property
    def warnings(self) -> tuple[RunWarning, ...]:
        """What is only reported."""
        if not self.incompatible or self.required:
            return ()
        return (described(WarningReason.INCOMPATIBLE_SCHEMA, self._describe()),)

    def _describe(self) -> str:
        more = f", and {len(self.incompatible) - SHOWN} more" if len(self.incompatible) > SHOWN else ""
        advice = "; keep these features as they are, or set evaluation.compatibility to Warn" if self.required else ""
        return (
            f"compatibility: the version in service accepts requests that the new one would refuse: "
            f"{', '.join(self.incompatible[:SHOWN])}{more}{advice}"
        )


def check_compatibility(
    record: RunRecord, estimator: Any, train: pa.Table, holdout: pa.Table, store: ModelStore
) -> Compatibility:
    """Compare the input schema of a new version with the version in service.

    A feature may be null if a value was missing in the rows of the run. It also may if the version in service accepts
    that and the new model predicts without a value, so that a window without missing values narrows nothing.

    Args:
        record: the record of the run.
        estimator: the new model.
        train: training rows.
        holdout: hold-out rows.
        store: holds the version in service.
    """
    own, version = own_schema(record, train, holdout), record.champion or record.served
    try:
        accepted = None if version is None else accepted_requests(store, version)
    except ArtifactNotFoundError:
        accepted = None
    except (ArtifactError, ProfileError) as error:
        return replace(own, incompatible=(f"it cannot be read: {error}",))
    if accepted is None:
        return own
    return compare_schemas(own, accepted, estimator, frame(holdout.slice(0, PROBED_ROWS), record.features))


def compare_schemas(
    own: Compatibility, accepted: AcceptedRequests, estimator: Any, rows: pd.DataFrame
) -> Compatibility:
    """The schema of a new version, compared with the requests that the version in service accepts.

    Args:
        own: the schema by the rows of the run alone.
        accepted: what the version in service accepts.
        estimator: the new model.
        rows: some rows that it can predict.
    """
    features = tuple(_as_accepted(feature, accepted, estimator, rows) for feature in own.features)
    return replace(own, features=features, incompatible=tuple(_differences(accepted, features)))


def own_schema(record: RunRecord, train: pa.Table, holdout: pa.Table) -> Compatibility:
    """The input schema by the rows of the run alone: a feature may be null if a value was missing."""
    features = (
        FeatureSchema(
            name=name,
            type=feature_type(train[name]),
            nullable=_has_missing(train[name]) or _has_missing(holdout[name]),
        )
        for name in record.features
    )
    return Compatibility(tuple(features), (), required=record.spec.evaluation.compatibility is None)


def accepted_requests(store: ModelStore, version: ChampionRequest) -> AcceptedRequests:
    """The requests that a stored version accepts.

    Raises:
        ArtifactError: the version cannot be read.
        ProfileError: its profile cannot be read.
    """
    stored = store.read(version.model, version.digest)
    profile = Profile.from_bytes(stored.files[PROFILE_FILE])
    counted = {feature.name for feature in profile.features if feature.missing}
    # Manifests of older releases do not say what may be null; the profile does.
    nullable = [
        feature.name
        for feature in stored.manifest.features
        if (feature.name in counted if feature.nullable is None else feature.nullable)
    ]
    types = {feature.name: feature.type for feature in stored.manifest.features}
    return AcceptedRequests(types, nullable, strict=bool(version.strict))


def _as_accepted(
    feature: FeatureSchema, accepted: AcceptedRequests, estimator: Any, rows: pd.DataFrame
) -> FeatureSchema:
    """The feature, which may also be null if the version in service accepts that and the new model can predict then."""
    if feature.nullable or feature.name not in accepted.nullable or not _predicts_without(estimator, rows, feature):
        return feature
    return feature.model_copy(update={"nullable": True})


def _differences(accepted: AcceptedRequests, features: Sequence[FeatureSchema]) -> list[str]:
    types = {feature.name: feature.type for feature in features}
    new = [f"{name!r} is a new feature" for name in types if name not in accepted.types]
    retyped = [
        f"{name!r} must be a {kind} and was a {accepted.types[name]}"
        for name, kind in types.items()
        if accepted.types.get(name, kind) != kind
    ]
    narrowed = [
        f"{feature.name!r} must not be null"
        for feature in features
        if feature.name in accepted.nullable and not feature.nullable
    ]
    dropped = [name for name in accepted.types if name not in types] if accepted.strict else []
    refused = [f"{name!r} is no feature any more, and serving.strict refuses other fields" for name in dropped]
    return [*new, *retyped, *narrowed, *refused]


def _has_missing(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.is_null(column, nan_is_null=True)).as_py())


def _predicts_without(estimator: Any, rows: pd.DataFrame, feature: FeatureSchema) -> bool:
    """Whether the model predicts rows in which one feature is missing."""
    number = feature.type == "number"
    missing = np.full(len(rows), None if feature.type == "string" else np.nan, dtype=np.float64 if number else object)
    try:
        estimator.predict(rows.assign(**{feature.name: missing}))
    # scikit-learn raises ValueError, TypeError and others; all mean that the value is required.
    except Exception:
        return False
    return True
