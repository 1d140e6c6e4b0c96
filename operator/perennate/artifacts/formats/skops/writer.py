"""The versions of the libraries that wrote a skops file, as it states them."""

from __future__ import annotations

import json
from importlib.metadata import version as installed_version
from typing import Any, Final

from perennate.artifacts.errors import ArtifactIncompatibleError
from perennate.artifacts.formats.skops.schema_audit import nodes

LIBRARY: Final = "scikit-learn"
_TEXT_LIMIT: Final = 64


def written_versions(schema: dict[str, Any]) -> dict[str, str]:
    """Versions by distribution.

    If parts of the model state several versions of scikit-learn, one that differs from the installed one decides.

    Args:
        schema: the parsed `schema.json` of a skops file.
    """
    found = sorted({text for node in nodes(schema) if (text := _library_version(node)) is not None})
    foreign = [text for text in found if _minor(text) != _minor(installed_version(LIBRARY))]
    skops = schema.get("_skops_version")
    return {
        **({LIBRARY: (foreign or found)[0]} if found else {}),
        **({"skops": skops[:_TEXT_LIMIT]} if isinstance(skops, str) else {}),
    }


def check_version(schema: dict[str, Any]) -> None:
    """Refuse a file that another minor version of scikit-learn wrote: it may load and predict something else.

    Raises:
        ArtifactIncompatibleError: it did; the message has both versions.
    """
    written, installed = written_versions(schema).get(LIBRARY), installed_version(LIBRARY)
    if written is not None and _minor(written) != _minor(installed):
        raise ArtifactIncompatibleError(
            f"the model file was saved with {LIBRARY} {written}, and {installed} is installed here; major and minor "
            f"version must be equal: train with {LIBRARY} {'.'.join(_minor(installed))}, or use images with {written}"
        )


def _library_version(node: dict[str, Any]) -> str | None:
    """The version in the state of an estimator, which scikit-learn adds when it is saved."""
    content = node.get("content")
    stated = content.get("_sklearn_version") if node["__loader__"] == "DictNode" and isinstance(content, dict) else None
    if not isinstance(stated, dict):
        return None
    try:
        text = json.loads(stated.get("content", ""))
    except (TypeError, ValueError):
        return None
    return text[:_TEXT_LIMIT] if isinstance(text, str) else None


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
