"""The list of files that a manifest holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.version import FileEntry, digest_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping


def file_entries(files: Mapping[str, bytes]) -> tuple[FileEntry, ...]:
    """One entry a file, sorted by name, for `Manifest.files`."""
    return tuple(
        FileEntry(path=name, digest=digest_bytes(content), size=len(content)) for name, content in sorted(files.items())
    )
