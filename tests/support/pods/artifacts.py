"""Versions and models for tests of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.canonical import digest_bytes
from perennate.api.documents.model_manifest import (
    CARD_FILE,
    PROFILE_FILE,
    FeatureSchema,
    ModelManifest,
    file_entries,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO = "sha256:" + "0" * 64


def make_files(model: bytes = b"model", profile: bytes = b"{}", card: bytes = b"# card\n") -> dict[str, bytes]:
    """Files of a version."""
    return {"model.skops": model, PROFILE_FILE: profile, CARD_FILE: card}


def make_manifest(contents: Mapping[str, bytes], *, model: str = "fraud", **changes: object) -> ModelManifest:
    """The manifest of a version with these files."""
    fields: dict[str, object] = {
        "model": model,
        "task": "classification",
        "estimator": "sklearn.linear_model.LogisticRegression",
        "features": (FeatureSchema(name="age", type="number"),),
        "target": "label",
        "classes": ("0", "1"),
        "class_type": "number",
        "files": file_entries(contents),
        "profile_digest": digest_bytes(contents[PROFILE_FILE]) if PROFILE_FILE in contents else ZERO,
        "fingerprint": ZERO,
        **changes,
    }
    return ModelManifest.model_validate(fields)
