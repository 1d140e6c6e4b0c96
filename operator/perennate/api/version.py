"""A model version in the store: its manifest, its digest, its place."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from perennate.api.meta import Digest, Model
from perennate.api.v1alpha1.training_job import MetricValue

MODEL_FILE = "model.skops"
PROFILE_FILE = "profile.json"
CARD_FILE = "MODEL_CARD.md"
MANIFEST_FILE = "manifest.json"
SHORT_LENGTH = 12
"""Digits of a digest that people see."""


def canonical_json(document: Any) -> bytes:
    """The one byte form of a JSON value: keys sorted, no spaces, UTF-8, no NaN.

    Raises:
        ValueError: the document holds NaN or an infinity.
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_bytes(content: bytes) -> str:
    """`sha256:` and the hexadecimal digest of the bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_document(document: Any) -> str:
    """Digest of the canonical form of a JSON value."""
    return digest_bytes(canonical_json(document))


def short_version(digest: str) -> str:
    """The first digits of a digest, without `sha256:`."""
    return digest.removeprefix("sha256:")[:SHORT_LENGTH]


def version_uri(model: str, digest: str) -> str:
    """Where a version lies, for people and for `spec.model.pinned.uri`."""
    return f"store://{model}/versions/{digest.removeprefix('sha256:')}"


class FileEntry(Model):
    """One file of a version."""

    path: str = Field(description="Name of the file inside the version's folder.")
    digest: Digest
    size: int = Field(ge=0, description="Bytes.")


class FeatureSchema(Model):
    """One input column of the model."""

    name: str
    type: Literal["number", "string", "boolean"]


class Manifest(Model):
    """`manifest.json`: every file of a version and where it came from.

    The version is the digest of its canonical form, so it holds no time and no host.
    """

    schema_: Literal["perennate.dev/manifest/v1"] = Field(default="perennate.dev/manifest/v1", alias="schema")
    model: str
    format: Literal["skops"] = "skops"
    task: Literal["classification", "regression"]
    estimator: str = Field(description="Class of the fitted estimator.")
    features: tuple[FeatureSchema, ...]
    target: str
    classes: tuple[str, ...] = Field(default=(), description="Classes as text, in the order of predict_proba.")
    class_type: Literal["number", "string", "boolean"] = Field(
        default="string", description="JSON type of a predicted class."
    )
    files: tuple[FileEntry, ...]
    profile_digest: Digest
    fingerprint: Digest
    metrics: tuple[MetricValue, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict, description="Versions of interpreter and libraries.")

    @property
    def digest(self) -> str:
        """The version: digest of the canonical manifest."""
        return digest_document(self.to_document())
