"""`manifest.json` of a model version: its files, its inputs and its provenance. Its digest is the version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from perennate.api.documents.canonical import digest_bytes, digest_document
from perennate.api.documents.document import Document
from perennate.api.documents.metric import MetricValue
from perennate.api.feature_types import FeatureType
from perennate.api.meta import Digest, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE_FILE: Final = "profile.json"
CARD_FILE: Final = "MODEL_CARD.md"
MANIFEST_FILE: Final = "manifest.json"


def version_uri(model: str, digest: str) -> str:
    """URI of a version, for messages and for `spec.model.pinned.uri`."""
    return f"store://{model}/versions/{digest.removeprefix('sha256:')}"


class FileEntry(Model):
    """A file of a version."""

    path: str = Field(description="Name of the file inside the version's folder.")
    digest: Digest
    size: int = Field(ge=0, description="Bytes.")


class FeatureSchema(Model):
    """An input column of the model."""

    name: str
    type: FeatureType
    nullable: bool | None = Field(
        default=None, description="Whether null is accepted. Absent in versions of older releases: see the profile."
    )


class ModelManifest(Document):
    """`manifest.json`. The digest of its canonical form identifies the version, so it has no times and host names."""

    schema_: Literal["perennate.dev/manifest/v1"] = Field(default="perennate.dev/manifest/v1", alias="schema")
    model: str
    format: str = Field(default="skops", description="Name of the model's file format.")
    task: Literal["classification", "regression"]
    estimator: str = Field(description="Class of the fitted estimator.")
    features: tuple[FeatureSchema, ...]
    target: str
    classes: tuple[str, ...] = Field(default=(), description="Classes as text, in the order of predict_proba.")
    positive_class: str | None = Field(
        default=None,
        description=(
            "Of two classes, the one that precision, recall, F1 and the score refer to. Absent: none was chosen, or "
            "the version is of an older release, which used the second class."
        ),
    )
    class_type: FeatureType = Field(default="string", description="JSON type of a predicted class.")
    files: tuple[FileEntry, ...]
    profile_digest: Digest
    fingerprint: Digest
    metrics: tuple[MetricValue, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict, description="Versions of interpreter and libraries.")

    @property
    def digest(self) -> str:
        """Digest of the canonical form, which identifies the version."""
        return digest_document(self.to_document())


def file_entries(files: Mapping[str, bytes]) -> tuple[FileEntry, ...]:
    """One entry per file, sorted by name, for `ModelManifest.files`."""
    return tuple(
        FileEntry(path=name, digest=digest_bytes(content), size=len(content)) for name, content in sorted(files.items())
    )
