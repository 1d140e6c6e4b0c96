"""Where the bytes of a data file come from, and how text is unpacked.

A new kind of storage is one more class with the interface of `Source`.
"""

from __future__ import annotations

import lzma
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from perennate.tabular.errors import EmptyFileError, FormatError, UsageError
from perennate.tabular.reading import first_line

NEIGHBOURS_SHOWN = 5
CODECS: Final = {".gz": "gzip", ".bz2": "bz2", ".lz4": "lz4", ".zst": "zstd"}
"""Codecs of pyarrow by extension."""
XZ: Final = ".xz"
COMPRESSED: Final = (*CODECS, XZ)
"""Extensions of compressed files."""


class Source(Protocol):
    """The bytes of one data file."""

    @property
    def name(self) -> str:
        """What messages call the file: a path or a URI."""
        ...

    @property
    def file_name(self) -> str:
        """Last part of the path; its extension tells format and compression."""
        ...

    def open(self) -> pa.NativeFile:
        """The file, open for reading and seekable. Native code only: readers use it from their own threads.

        Raises:
            UsageError: it does not exist, is not a file, or cannot be opened.
        """
        ...

    def parts(self) -> Sequence[Source] | None:
        """The data files of a folder, by name; None for a file."""
        ...


class LocalFile:
    """A file on a mounted file system.

    Args:
        path: its path.
        name: what messages call it; None: its path.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self._path = path
        self.name = str(path) if name is None else name
        self.file_name = path.name

    def open(self) -> pa.NativeFile:
        """The open file.

        Raises:
            UsageError: it does not exist, is not a regular file, is empty, or cannot be opened.
        """
        try:
            if self._path.is_dir():
                raise UsageError(f"{self.name}: is a folder, a file is needed")
            # Opening a named pipe blocks until something writes to it, and a pipe cannot be read twice.
            if self._path.exists() and not self._path.is_file():
                raise UsageError(f"{self.name}: is not a regular file; save the data to a file first")
            # Not mapped into memory: mapped pages would count as memory of the process.
            file = pa.OSFile(str(self._path))
        except FileNotFoundError as error:
            raise UsageError(
                f"{self.name}: does not exist; {self._neighbours()}: correct the path, or put the file there"
            ) from error
        except PermissionError as error:
            raise UsageError(f"{self.name}: cannot be opened: permission denied; make the file readable") from error
        except OSError as error:
            raise UsageError(f"{self.name}: cannot be opened: {first_line(error)}") from error
        if not file.size():
            raise EmptyFileError(f"{self.name}: is empty (0 bytes)")
        return file

    def parts(self) -> Sequence[Source] | None:
        """The files of a folder and of its folders, by name; None for a file.

        Files whose name begins with a dot or an underscore are not data, by convention of Spark and Hive.
        """
        if not self._path.is_dir():
            return None
        paths = sorted(path for path in self._path.rglob("*") if path.is_file())
        inside = [(path, path.relative_to(self._path)) for path in paths]
        return [
            LocalFile(path, f"{self.name.rstrip('/')}/{relative.as_posix()}")
            for path, relative in inside
            if not any(part.startswith((".", "_")) for part in relative.parts)
        ]

    def _neighbours(self) -> str:
        """The files in the same folder, for a user who mistyped a name."""
        folder = self._path.parent
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        names = [name for name in names if not name.startswith(".")]
        if not names:
            return "its folder is missing or empty"
        return f"its folder has {', '.join(names[:NEIGHBOURS_SHOWN])}"


def without_compression(file_name: str) -> str:
    """The name of a file in lower case, without the extension of its compression."""
    name = file_name.lower()
    return next((name.removesuffix(extension) for extension in COMPRESSED if name.endswith(extension)), name)


class OpenText:
    """The text of an open file.

    Args:
        text: the text, unpacked. It has no size and is not seekable.
        raw: the bytes that it is read from.
    """

    def __init__(self, text: pa.NativeFile, raw: pa.NativeFile) -> None:
        self.text = text
        self._raw = raw

    @property
    def progress(self) -> float:
        """The share of the file that was read, from 0 to 1."""
        return float(self._raw.tell() / max(self._raw.size(), 1))


class TextFile:
    """A file of text that is unpacked while it is read, by its extension.

    Args:
        source: where its bytes come from.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._name = source.file_name.lower()
        self._codec = next((codec for end, codec in CODECS.items() if self._name.endswith(end)), None)
        self._unpacked: Any = None

    @contextmanager
    def open(self) -> Iterator[OpenText]:
        """The open file.

        Raises:
            UsageError: it cannot be opened or unpacked.
        """
        with self._raw() as raw:
            # A native stream: a reader may continue in its own thread, even while the interpreter exits.
            yield OpenText(raw if self._codec is None else pa.CompressedInputStream(raw, self._codec), raw)

    def _raw(self) -> pa.NativeFile:
        if not self._name.endswith(XZ):
            return self._source.open()
        if self._unpacked is None:
            self._unpacked = self._unpack_xz()
        return pa.OSFile(self._unpacked.name)

    def _unpack_xz(self) -> Any:
        """A temporary file with the text, because pyarrow has no xz. It is deleted with this object."""
        with self._source.open() as raw:
            try:
                file = tempfile.NamedTemporaryFile(prefix="perennate-")  # noqa: SIM115 - open as long as this object
                with lzma.open(raw) as packed:
                    shutil.copyfileobj(packed, file, 1 << 20)
                file.flush()
            except (lzma.LZMAError, EOFError, OSError) as error:
                raise FormatError(f"{self._source.name}: cannot be unpacked: {first_line(error)}") from error
        return file
