"""The versions of what trained the model, as the train stage or a user's container states them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.document import InvalidDocumentError
from perennate.api.documents.training_environment import ENVIRONMENT_FILE, ENVIRONMENT_LIMIT, TrainingEnvironment
from perennate.lineage import library_versions, training_environment
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.output import read_output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perennate.trainer.paths import RunPaths


def write_environment(paths: RunPaths) -> None:
    """Write the versions of this process into the output folder."""
    stated = TrainingEnvironment(versions=library_versions())
    (paths.output / ENVIRONMENT_FILE).write_text(stated.model_dump_json(by_alias=True))


def read_environment(paths: RunPaths, written: Mapping[str, str]) -> dict[str, str]:
    """Versions by name: those in the model file, then those that `environment.json` states, else `unknown`.

    Args:
        paths: paths of the run.
        written: versions that the model file states.

    Raises:
        BadConfigurationError: `environment.json` is invalid, or contradicts the model file.
    """
    stated = _stated(paths.output / ENVIRONMENT_FILE)
    different = sorted(name for name in stated.keys() & written.keys() if stated[name] != written[name])
    if different:
        name = different[0]
        raise BadConfigurationError(
            f"spec.trainer.container: {ENVIRONMENT_FILE} states {name} {stated[name]}, but {written[name]} wrote the "
            f"model file; state the versions of the process that fitted and saved the model"
        )
    return training_environment(stated, written)


def _stated(path: Path) -> Mapping[str, str]:
    content = read_output(path, limit=ENVIRONMENT_LIMIT)
    if content is None:
        return {}
    try:
        return TrainingEnvironment.read(content).versions
    except InvalidDocumentError as error:
        raise BadConfigurationError(
            f"spec.trainer.container: {ENVIRONMENT_FILE} is invalid: {error}; write "
            '{"versions": {"python": "3.12.1", "scikit-learn": "1.9.1"}}, or leave the file out'
        ) from error
