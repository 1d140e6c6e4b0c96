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
"""Exit code of an unexpected error. The Job retries within its backoffLimit."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run a stage and write its result to the termination message.

    Args:
        arguments: name of the stage.
        environment: paths of the run, and the run request.

    Returns:
        The exit code: an `ExitCode`, or 1 for an unexpected error.
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
    # The operator reads errors from the termination message, also unexpected ones.
    except Exception as error:
        traceback.print_exc()
        message = f"{stage} failed unexpectedly: {type(error).__name__}: {error}; see the container's log"
        return UNEXPECTED, StageResult(stage=stage, error=run_error(ErrorReason.STAGE_FAILED, message))


def _stage(stage: StageName, paths: RunPaths, environment: Mapping[str, str]) -> StageResult:
    # Imports here, so that each stage imports only what it needs: prepare uses neither pandas nor scikit-learn.
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


class _HidePandas:
    """An import hook for which pandas is not installed.

    pyarrow imports pandas with its first array unless that fails. `sys.modules["pandas"] = None` does not help: pyarrow
    is compiled, and its import then returns None.
    """

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Raise for pandas; leave every other module to the next finder."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


if __name__ == "__main__":
    # OpenMP threads that spin while they wait slow down the others: on two busy cores, boosting on a few rows took
    # 6.2 s with spinning and 0.35 s without. The library reads this variable when it is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:] == [STAGE_PREPARE]:
        # This stage does not use pandas, and the import takes 0.75 s of the 1.1 s that it would take for a small file.
        sys.meta_path.insert(0, _HidePandas())
    sys.exit(main(sys.argv[1:], os.environ))
