"""From a fitted estimator to a skops file with deterministic bytes."""

from __future__ import annotations

import io
import json
from typing import Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from perennate.artifacts.formats.skops.archive import SCHEMA_MEMBER
from perennate.artifacts.formats.skops.training_state import without_training_state

_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)


def save_estimator(estimator: Any) -> bytes:
    """The skops file of a fitted estimator: the same model gives the same bytes, in every process.

    Raises:
        TypeError: skops cannot save something in the model.
    """
    import skops.io  # noqa: PLC0415 - a slow import

    with without_training_state(estimator):
        content = skops.io.dumps(estimator)
    return canonical_archive(content)


def canonical_archive(content: bytes) -> bytes:
    """The same skops file without dates, and with memory addresses in ids and names replaced.

    Ids become 1, 2, 3, ... in the order of the schema. Plain values have no id, because the identity of equal numbers
    is not part of the model. The items of a set are sorted, because their order depends on the hash seed.
    """
    with ZipFile(io.BytesIO(content)) as source:
        schema = json.loads(source.read(SCHEMA_MEMBER))
        members = _Renumbering().rewrite(schema)
        target = io.BytesIO()
        with ZipFile(target, "w", compression=ZIP_STORED) as archive:
            archive.writestr(_member(SCHEMA_MEMBER), json.dumps(schema, separators=(",", ":")))
            for old, new in members.items():
                archive.writestr(_member(new), source.read(old))
    return target.getvalue()


class _Renumbering:
    """New ids and file names, assigned in the order of the schema."""

    def __init__(self) -> None:
        self._ids: dict[int, int] = {}
        self._files: dict[str, str] = {}

    def rewrite(self, schema: dict[str, Any]) -> dict[str, str]:
        """Rewrite the schema in place. Returns the new file names by old ones."""
        pending: list[Any] = [schema]
        while pending:
            item = pending.pop()
            if isinstance(item, dict):
                if item.get("__loader__") == "SetNode":
                    item["content"].sort(key=_value)
                if "__loader__" in item:
                    self._rewrite_node(item)
                pending.extend(reversed(item.values()))
            elif isinstance(item, list):
                pending.extend(reversed(item))
        return self._files

    def _rewrite_node(self, node: dict[str, Any]) -> None:
        if node["__loader__"] == "JsonNode":
            node.pop("__id__", None)
        elif "__id__" in node:
            node["__id__"] = self._ids.setdefault(node["__id__"], len(self._ids) + 1)
        if "file" in node:
            suffix = node["file"].rpartition(".")[2]
            node["file"] = self._files.setdefault(node["file"], f"{len(self._files) + 1}.{suffix}")


def _value(node: dict[str, Any]) -> str:
    """The node of a plain value as text; other nodes keep their order."""
    return str(node["content"]) if node["__loader__"] == "JsonNode" else ""


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name, date_time=_FIXED_DATE)
    member.create_system = 3
    member.external_attr = 0o100644 << 16
    return member
