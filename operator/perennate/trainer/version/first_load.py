"""Load the model of a user's container in a process of its own, before the stage does.

A crafted or damaged file that crashes a library ends that process. The stage goes on to say so, and the run is not
retried. The process is `python -m perennate.trainer.version.first_load OUTPUT ROWS DIGEST FEATURES`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.trainer.data.frames import frame, read_rows
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.version.model_file import read_model
from perennate.trainer.version.serving_process import ServingProcessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.api.documents.run_record import RunRecord
    from perennate.trainer.paths import RunPaths

PROGRAM: Final = (sys.executable, "-m", "perennate.trainer.version.first_load")
ROWS: Final = 20
"""Hold-out rows that are predicted."""
CRASHES: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL})


def check_loads(paths: RunPaths, record: RunRecord, *, program: Sequence[str] = PROGRAM) -> None:
    """Load the model and predict some rows in another process. Errors other than crashes are left to the stage.

    Args:
        paths: of the run.
        record: of the run.
        program: runs in the process, with the arguments that the module names.

    Raises:
        BadConfigurationError: the process crashed.
        ServingProcessError: it was killed, for example because of its memory. A retry may help.
    """
    arguments = (str(paths.output), str(paths.holdout_rows), record.holdout_digest, json.dumps(record.features))
    code = subprocess.run([*program, *arguments], check=False).returncode
    if -code in CRASHES:
        raise BadConfigurationError(
            f"spec.trainer.container: the process that loaded its model file crashed ({signal.Signals(-code).name}); "
            "the file is damaged or crafted"
        )
    if code < 0:
        raise ServingProcessError(
            f"the process that loads the model file ended with {signal.Signals(-code).name}; if its memory was not "
            "enough, give the stage more in spec.resources"
        )


def main(output: Path, rows: Path, digest: str, features: tuple[str, ...]) -> None:
    """Load the model and predict the first rows."""
    model_format, content = read_model(output)
    estimator = model_format.load(content)
    model_format.predict(estimator, frame(read_rows(rows, digest).slice(0, ROWS), features))


if __name__ == "__main__":
    # The stage does the same again and says what is wrong.
    with contextlib.suppress(Exception):
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], tuple(json.loads(sys.argv[4])))
