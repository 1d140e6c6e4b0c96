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
    # With OpenMP on shared cores, the prediction of one row takes a hundred times longer. Use replicas for more cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
}
"""Environment variables that libraries read on import; set only if they are not set already."""
MESSAGE_LIMIT: Final = 4096


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one container.

    Args:
        arguments: the command.
        environment: of the process.

    Returns:
        The exit code: 0 for success, 2 for an unknown command, 13 if the version cannot be used, 1 for other errors.
        For 13 and 1 the reason is on standard error and in the termination log.
    """
    if list(arguments) not in (["fetch"], ["serve"]):
        sys.stderr.write(f"{USAGE}\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Imported after PROCESS_DEFAULTS are set, and only what the command needs.
    from perennate.artifacts import ArtifactError, ArtifactUnusableError  # noqa: PLC0415
    from perennate.serving.config import ServingSettings  # noqa: PLC0415
    from perennate.serving.errors import ConfigError, ListenError  # noqa: PLC0415

    try:
        _run(arguments[0], ServingSettings.read(environment))
    except (ArtifactError, ConfigError, ListenError) as error:
        _report_error(f"{arguments[0]}: {error}", environment)
        return EXIT_VERSION_REFUSED if isinstance(error, ArtifactUnusableError) else 1
    return 0


def _run(command: str, settings: ServingSettings) -> None:
    if command == "fetch":
        from perennate.serving.fetch import fetch  # noqa: PLC0415

        fetch(settings)
    else:
        from perennate.serving.http.server import serve  # noqa: PLC0415

        serve(settings)


def _report_error(sentence: str, environment: Mapping[str, str]) -> None:
    """Write the reason to standard error and to the termination log."""
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
