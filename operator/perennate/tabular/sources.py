"""Where the bytes of a data file come from. A new kind of storage is one more class with the interface of `Source`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pyarrow as pa

from perennate.tabular.errors import UsageError
from perennate.tabular.reading import first_line

NEIGHBOURS_SHOWN = 5


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
                raise UsageError(f"{self.name}: is a folder; name one file")
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
            raise UsageError(f"{self.name}: is empty (0 bytes)")
        return file

    def _neighbours(self) -> str:
        """The files in the same folder, for a user who mistyped a name."""
        folder = self._path.parent
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        names = [name for name in names if not name.startswith(".")]
        if not names:
            return "its folder is missing or empty"
        return f"its folder has {', '.join(names[:NEIGHBOURS_SHOWN])}"
