"""The formats that this release reads and writes. A new format is one folder and one entry in `FORMATS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from perennate.artifacts.errors import ArtifactIncompatibleError
from perennate.artifacts.formats.skops.format import SkopsFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perennate.artifacts.formats.classes import ClassTable
    from perennate.artifacts.formats.protocol import ModelFormat


class FormatRegistry:
    """Model formats by name, in the given order.

    Args:
        formats: the formats.

    Raises:
        ValueError: two formats have the same name or the same file name.
    """

    def __init__(self, formats: Iterable[ModelFormat]) -> None:
        self._formats: dict[str, ModelFormat] = {}
        for item in formats:
            if any(item.name == other.name or item.file_name == other.file_name for other in self):
                raise ValueError(f"model format {item.name!r}: its name or its file name {item.file_name!r} is taken")
            self._formats[item.name] = item

    def __iter__(self) -> Iterator[ModelFormat]:
        return iter(self._formats.values())

    def by_name(self, name: str) -> ModelFormat:
        """The format with the name that a manifest records.

        Raises:
            ArtifactIncompatibleError: this release has no such format.
        """
        if name not in self._formats:
            raise ArtifactIncompatibleError(
                f"the version has the model format {name!r}, and this release reads {', '.join(self._formats)}; use an "
                "image of a release that reads it, or train again"
            )
        return self._formats[name]

    def for_class(self, path: str) -> ModelFormat | None:
        """The format that saves estimators of the class at a public import path; None if no format does."""
        return next((item for item in self if item.trainable.task(path) is not None), None)

    def task(self, path: str) -> Literal["classification", "regression"] | None:
        """The task of the estimator class at a public import path; None if no format saves the class."""
        item = self.for_class(path)
        return None if item is None else item.trainable.task(path)

    @property
    def predictors(self) -> tuple[ClassTable, ...]:
        """The classifiers and regressors of all formats."""
        return tuple(table for item in self for table in (item.trainable.classifiers, item.trainable.regressors))


FORMATS: Final = FormatRegistry([SkopsFormat()])
