"""A small model file that would take much memory is refused before it is unpacked or built."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from perennate.artifacts import ArtifactRefusedError
from perennate.artifacts.formats.skops.archive import ALWAYS_ALLOWED, SCHEMA_LIMIT, read_schema
from perennate.artifacts.formats.skops.saving import save_estimator

MIB = 2**20
NUMBERS = 100_000


def model() -> bytes:
    """A linear model with a large array of zeros."""
    fitted = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    fitted.zeros = np.zeros(NUMBERS)
    return save_estimator(fitted)


def packed(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The model with changed members, compressed."""
    with zipfile.ZipFile(io.BytesIO(model())) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def references(count: int) -> Callable[[dict[str, bytes]], None]:
    """Let so many nodes, each with an id of its own, refer to the large array."""

    def change(members: dict[str, bytes]) -> None:
        schema = json.loads(members["schema.json"])
        node = schema["content"]["content"]["zeros"]
        copies = [{**node, "__id__": 10**6 + index} for index in range(count)]
        schema["content"]["content"]["zeros"] = {"__loader__": "ListNode", "content": copies}
        members["schema.json"] = json.dumps(schema).encode()

    return change


def schema_of(unit: bytes, size: int) -> Callable[[dict[str, bytes]], None]:
    """A schema of many small values."""
    return lambda members: members.update({"schema.json": b"[" + unit * (size // len(unit)) + b"0]"})


def with_ballast(change: Callable[[dict[str, bytes]], None]) -> Callable[[dict[str, bytes]], None]:
    """Add an array that cannot be compressed, so that the file is large."""

    def both(members: dict[str, bytes]) -> None:
        change(members)
        members["999.npy"] = np.random.default_rng(0).bytes(MIB)

    return both


HOSTILE: dict[str, Callable[[dict[str, bytes]], None]] = {
    "empty lists": with_ballast(schema_of(b"[],", 6 * MIB)),
    "empty objects": with_ballast(schema_of(b"{},", 6 * MIB)),
    "numbers": with_ballast(schema_of(b"1,", 6 * MIB)),
    "lists in lists": with_ballast(schema_of(b"[[],[[]]],", 6 * MIB)),
    "a schema of spaces": with_ballast(lambda members: members.update({"schema.json": b" " * (SCHEMA_LIMIT + 1)})),
    "an array that many nodes refer to": with_ballast(references(ALWAYS_ALLOWED // (8 * NUMBERS) + 1)),
    "lists without ballast": schema_of(b"[],", 6 * MIB),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_grows_in_memory_is_refused(name: str) -> None:
    content = packed(HOSTILE[name])
    assert len(content) < 2 * MIB
    with pytest.raises(ArtifactRefusedError, match=r"of memory|are read|times its size"):
        read_schema(content)


def test_nodes_with_one_id_share_an_array() -> None:
    def change(members: dict[str, bytes]) -> None:
        schema: dict[str, Any] = json.loads(members["schema.json"])
        node = schema["content"]["content"]["zeros"]
        schema["content"]["content"]["zeros"] = {"__loader__": "ListNode", "content": [node] * 1000}
        members["schema.json"] = json.dumps(schema).encode()

    assert read_schema(packed(with_ballast(change)))


def test_many_names_that_compress_well_are_read() -> None:
    """Such as 50,000 categories: the schema takes 35 MiB in memory, and the file is small."""

    def change(members: dict[str, bytes]) -> None:
        schema = json.loads(members["schema.json"])
        name = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "is_json": True}
        names = [{**name, "content": f'"customer {index}"'} for index in range(50_000)]
        schema["content"]["content"]["zeros"] = {"__loader__": "ListNode", "content": names}
        members["schema.json"] = json.dumps(schema).encode()

    assert read_schema(packed(change))
