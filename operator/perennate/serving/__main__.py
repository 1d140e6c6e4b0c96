"""`python -m perennate.serving fetch|serve`: the two containers of a serving pod."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.wellknown import EXIT_VERSION_REFUSED, TERMINATION_LOG
from perennate.processor import settle_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perennate.serving.config import ServingSettings

USAGE: Final = "usage: python -m perennate.serving fetch|serve"
PROCESS_DEFAULTS: Final = {
    # One row is predicted a hundred times slower when OpenMP spreads it over cores that others use; replicas are the
    # way to more cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
}
"""Environment that libraries read when they are imported, unless it is set already."""
MESSAGE_LIMIT: Final = 4096


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one container.

    Args:
        arguments: the command.
        environment: of the process.

    Returns:
        The exit code: 0 done, 2 no such command; with a sentence on standard error and in the termination log: 13 the
        version itself is unfit, 1 anything else.
    """
    if list(arguments) not in (["fetch"], ["serve"]):
        sys.stderr.write(f"{USAGE}\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Imported here, after PROCESS_DEFAULTS are set, and only what the command needs.
    from perennate.artifacts import ArtifactError, VersionUnfitError  # noqa: PLC0415
    from perennate.serving.config import ServingSettings  # noqa: PLC0415
    from perennate.serving.errors import ConfigError, ListenError  # noqa: PLC0415

    try:
        _run(arguments[0], ServingSettings.read(environment))
    except (ArtifactError, ConfigError, ListenError) as error:
        _tell(f"{arguments[0]}: {error}", environment)
        return EXIT_VERSION_REFUSED if isinstance(error, VersionUnfitError) else 1
    return 0


def _run(command: str, settings: ServingSettings) -> None:
    if command == "fetch":
        from perennate.serving.fetch import fetch  # noqa: PLC0415

        fetch(settings)
    else:
        from perennate.serving.http.server import serve  # noqa: PLC0415

        serve(settings)


def _tell(sentence: str, environment: Mapping[str, str]) -> None:
    """Say why, where people and the operator look."""
    sys.stderr.write(f"{sentence}\n")
    # Outside a pod there is no termination log.
    with contextlib.suppress(OSError):
        Path(environment.get("PERENNATE_TERMINATION_LOG", TERMINATION_LOG)).write_bytes(
            sentence.encode()[:MESSAGE_LIMIT]
        )


if __name__ == "__main__":
    for name, value in PROCESS_DEFAULTS.items():
        os.environ.setdefault(name, value)
    settle_numpy(os.environ)
    sys.exit(main(sys.argv[1:], os.environ))
