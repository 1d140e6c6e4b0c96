"""`python -m perennate.trainer prepare|train|publish`: one stage of a training run."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

from perennate.api.documents.stage_result import ErrorReason, StageResult
from perennate.api.wellknown import STAGE_PREPARE, STAGE_TRAIN, STAGES, ExitCode
from perennate.trainer.errors import StageError
from perennate.trainer.paths import RunPaths
from perennate.trainer.progress import report
from perennate.trainer.termination import run_error, write_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    StageName = Literal["prepare", "train", "publish"]

UNEXPECTED = 1
"""Exit code of what is neither done nor refused: the run tries again within its backoffLimit."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run one stage and leave its result in the termination message.

    Args:
        arguments: the name of the stage.
        environment: roots of the run, and the run request.

    Returns:
        The exit code: 0, one of the refusals of `ExitCode`, or 1 for anything unexpected.
    """
    if len(arguments) != 1 or arguments[0] not in STAGES:
        print(f"usage: python -m perennate.trainer {'|'.join(STAGES)}", file=sys.stderr)
        return ExitCode.BAD_CONFIGURATION
    stage: StageName = arguments[0]  # type: ignore[assignment]  # one of STAGES
    paths = RunPaths.from_environment(environment)
    started = time.monotonic()
    code, result = _run(stage, paths, environment)
    write_result(paths.termination_log, result)
    if result.error is not None:
        print(f"{result.error.reason}: {result.error.message}", file=sys.stderr, flush=True)
    report(stage, done=code == ExitCode.DONE, exit_code=int(code), seconds=round(time.monotonic() - started, 2))
    return int(code)


def _run(stage: StageName, paths: RunPaths, environment: Mapping[str, str]) -> tuple[int, StageResult]:
    try:
        return ExitCode.DONE, _stage(stage, paths, environment)
    except StageError as error:
        result = error.result or StageResult(stage=stage)
        return error.exit_code, result.model_copy(update={"error": run_error(error.reason, str(error))})
    # The boundary of the process: whatever happened must reach the operator in the termination message.
    except Exception as error:
        traceback.print_exc()
        message = f"{stage} ended unexpectedly: {type(error).__name__}: {error}; see the container's log"
        return UNEXPECTED, StageResult(stage=stage, error=run_error(ErrorReason.STAGE_FAILED, message))


def _stage(stage: StageName, paths: RunPaths, environment: Mapping[str, str]) -> StageResult:
    # Each stage pays for its own imports only: prepare needs neither pandas nor scikit-learn.
    if stage == STAGE_PREPARE:
        from perennate.trainer.request import read_request  # noqa: PLC0415
        from perennate.trainer.stages.prepare import prepare  # noqa: PLC0415

        return prepare(read_request(environment), paths, now=time.time())
    if stage == STAGE_TRAIN:
        from perennate.trainer.stages.train import train  # noqa: PLC0415

        return train(paths)
    from perennate.trainer.request import read_request  # noqa: PLC0415
    from perennate.trainer.stages.publish import publish  # noqa: PLC0415

    return publish(read_request(environment), paths)


if __name__ == "__main__":
    # Threads of OpenMP that wait by spinning take the cores from those that work: on two busy cores, boosting of a few
    # rows took 6.2 s with spinning and 0.35 s without. The library reads this when it is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:] == [STAGE_PREPARE]:
        # pyarrow imports pandas with its first array unless that fails. This stage does not use it, and the import
        # takes 0.75 s of the 1.1 s that such a stage would take for a small file.
        sys.modules["pandas"] = None  # type: ignore[assignment]
    sys.exit(main(sys.argv[1:], os.environ))
