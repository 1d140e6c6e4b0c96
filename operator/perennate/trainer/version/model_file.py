"""The model file that the train stage left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perennate.artifacts import FILE_LIMIT, FORMATS, ModelFormat
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.output import read_output

if TYPE_CHECKING:
    from pathlib import Path


def read_model(folder: Path) -> tuple[ModelFormat, bytes]:
    """The format and the bytes of the one model file in the output folder.

    Raises:
        BadConfigurationError: there is none, or more than one.
    """
    found = [item for item in FORMATS if os.path.lexists(folder / item.file_name)]
    if len(found) > 1:
        names = ", ".join(item.file_name for item in found)
        raise BadConfigurationError(f"spec.trainer: {folder} holds several model files ({names}); leave one")
    content = read_output(folder / found[0].file_name, limit=FILE_LIMIT) if found else None
    if content is None:
        hints = ", or ".join(item.save_hint for item in FORMATS)
        raise BadConfigurationError(f"spec.trainer.container: it exited with 0 but left no model in {folder}; {hints}")
    return found[0], content
