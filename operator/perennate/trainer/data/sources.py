"""From `spec.data.train` to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.artifacts import ArtifactError, ModelStore
from perennate.artifacts.versions.paths import inside
from perennate.tabular.errors import FormatError, UsageError
from perennate.tabular.opening import open_source
from perennate.tabular.reading import read_table
from perennate.tabular.sources import LocalFile
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from perennate.api.documents.run_spec import TrainData
    from perennate.tabular.sources import Source
    from perennate.trainer.paths import RunPaths

FIELD: Final = "spec.data.train.uri"


@dataclass(frozen=True)
class SourceRows:
    """The rows of a file.

    Args:
        table: its columns.
        index: columns that hold an index of pandas; those that were not named are not in the table.
    """

    table: pa.Table
    index: tuple[str, ...]


def read_source(
    train: TrainData, paths: RunPaths, namespace: str, *, named: Collection[str] = (), field: str = FIELD
) -> SourceRows:
    """The whole file as a table.

    Args:
        train: URI and format of the file.
        paths: the roots of data and store.
        namespace: the namespace whose part of the store `file://` means.
        named: columns that the spec names; a pandas index is read only if it is one of them.
        field: the field of the URI, for messages.

    Raises:
        DataRefusedError: the file is missing, empty or not in the format, or the path leads out of its root.
    """
    source = locate(train.uri, paths, namespace, field=field)
    try:
        file = open_source(source, form=train.format)
        return SourceRows(read_table(file, named=named), file.index)
    except FormatError as error:
        raise DataRefusedError(f"{field}: {error} ({field.removesuffix('uri')}format is {train.format})") from error
    except UsageError as error:
        raise DataRefusedError(f"{field}: {error}") from error


def locate(uri: str, paths: RunPaths, namespace: str, *, field: str = FIELD) -> Source:
    """The file at a URI: in the mounted claim (`pvc://<claim>/<path>`) or in the store (`file:///<path>`).

    Raises:
        DataRefusedError: the path leads out of its root.
    """
    try:
        if uri.startswith("pvc://"):
            return LocalFile(inside(paths.data, uri.removeprefix("pvc://").partition("/")[2]), uri)
        return LocalFile(ModelStore(paths.store, namespace).file(uri.removeprefix("file:///")), uri)
    except ArtifactError as error:
        raise DataRefusedError(f"{field}: {uri}: {error}") from error
