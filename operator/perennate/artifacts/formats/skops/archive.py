"""Checks of the archive of a skops file: a plain zip of bounded size with a schema and arrays, and nothing else."""

from __future__ import annotations

import io
import json
import re
import stat
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.json_memory import most_bytes, parsed_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_MEMBER: Final = "schema.json"
PROTOCOL: Final = 2
"""Protocol of the skops file format. Other code in skops reads older ones; the fixed list does not cover it."""
UNPACKED_LIMIT: Final = 4 << 30
RATIO_LIMIT: Final = 200
MEMBERS_LIMIT: Final = 200_000
SCHEMA_LIMIT: Final = 64 << 20
"""Bytes of the schema; a forest of 10,000 trees has about 30 MB."""

ALWAYS_ALLOWED: Final = 256 << 20
"""Bytes of memory that a small file may take too: long lists of similar names compress well."""

_MEMBER: Final = re.compile(r"schema\.json|[0-9]{1,20}\.np[yz]")
_SPARSE_MEMBER: Final = re.compile(r"(data|indices|indptr|shape|format|_is_array)\.npy")
_FORMATS: Final = (
    (b"\x80", "a pickle"),
    (b"\x1f\x8b", "gzip, as joblib writes it"),
    (b"\x78", "zlib, as joblib writes it"),
    (b"BZh", "bzip2, as joblib writes it"),
    (b"\xfd7zXZ", "xz, as joblib writes it"),
    (b"\x04\x22\x4d\x18", "lz4, as joblib writes it"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF", "HDF5"),
    (b"\x08", "ONNX or another protobuf"),
)


def read_schema(content: bytes) -> dict[str, Any]:
    """The parsed `schema.json` of a skops file, after checks of every member of the zip.

    Raises:
        ArtifactRefusedError: it is not a zip, is damaged, has a member that skops does not write, or exceeds a limit
            when unpacked.
    """
    _check_magic(content)
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive.infolist(), len(content), _MEMBER)
            for name in archive.namelist():
                if name.endswith(".npz"):
                    _check_sparse(archive.read(name))
            schema = _read_schema(archive, len(content))
    except (BadZipFile, KeyError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise ArtifactRefusedError(
            f"the model file is damaged or not a skops file: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(schema, dict) or schema.get("protocol") != PROTOCOL:
        raise ArtifactRefusedError(
            f"the model file has no skops schema of protocol {PROTOCOL}; save it with skops 0.16"
        )
    return schema


def _read_schema(archive: ZipFile, size: int) -> Any:
    """The parsed schema, after a check of the memory that it takes, and that the arrays take which it refers to."""
    unpacked = archive.getinfo(SCHEMA_MEMBER).file_size
    if unpacked > SCHEMA_LIMIT:
        raise ArtifactRefusedError(
            f"the schema of the model file has {unpacked} bytes; at most {SCHEMA_LIMIT} are read"
        )
    text = archive.read(SCHEMA_MEMBER)
    if most_bytes(text) > ALWAYS_ALLOWED:
        _check_memory(parsed_bytes(text), size)
    schema = json.loads(text)
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    _check_memory(sum(sizes.get(name, 0) for name in _references(schema)), size)
    return schema


def _references(schema: Any) -> list[str]:
    """The names of the members that nodes refer to. skops reads a member again for each node with another id."""
    found = {(repr(node.get("__id__", index)), str(node["file"])) for index, node in enumerate(_files(schema))}
    return [name for _, name in found]


def _files(schema: Any) -> Iterator[dict[str, Any]]:
    """The nodes that refer to a member. Without recursion: a hostile file may nest deeper than the stack allows."""
    pending = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if "file" in item:
                yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _check_memory(memory: int, size: int) -> None:
    allowed = min(UNPACKED_LIMIT, max(ALWAYS_ALLOWED, RATIO_LIMIT * size))
    if memory > allowed:
        raise ArtifactRefusedError(
            f"the model file of {size} bytes would take about {memory} bytes of memory; {allowed} are allowed"
        )


def _check_magic(content: bytes) -> None:
    if not content:
        raise ArtifactRefusedError("the model file is empty (0 bytes); it was not written completely")
    if not content.startswith(b"PK\x03\x04"):
        kind = next((name for magic, name in _FORMATS if content.startswith(magic)), "of an unknown format")
        raise ArtifactRefusedError(
            f"the model file is {kind}, not skops; only skops files are read, because others can run code: save with "
            "skops.io.dump"
        )


def _check_sparse(content: bytes) -> None:
    """Check the zip archive of a sparse matrix."""
    with ZipFile(io.BytesIO(content)) as archive:
        _check_members(archive.infolist(), len(content), _SPARSE_MEMBER)


def _check_members(members: list[ZipInfo], size: int, pattern: re.Pattern[str]) -> None:
    names = [member.filename for member in members]
    if len(set(names)) != len(names) or len(names) > MEMBERS_LIMIT:
        raise ArtifactRefusedError(f"the model file lists a member twice, or more than {MEMBERS_LIMIT}")
    for member in members:
        _check_member(member, pattern)
    unpacked = sum(member.file_size for member in members)
    if unpacked > min(UNPACKED_LIMIT, RATIO_LIMIT * size):
        raise ArtifactRefusedError(
            f"the model file unpacks from {size} to {unpacked} bytes; at most {RATIO_LIMIT} times its size and "
            f"{UNPACKED_LIMIT} bytes are read"
        )


def _check_member(member: ZipInfo, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(member.filename):
        raise ArtifactRefusedError(
            f"the model file has a member {member.filename[:100]!r}; allowed are {SCHEMA_MEMBER} and numbered arrays"
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG} or member.compress_type not in {ZIP_STORED, ZIP_DEFLATED} or member.flag_bits & 1:
        raise ArtifactRefusedError(
            f"the member {member.filename!r} of the model file is a link, encrypted or packed in a way that skops "
            "does not write"
        )
