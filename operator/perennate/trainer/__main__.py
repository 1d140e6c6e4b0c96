"""`python -m perennate.trainer prepare|train|publish`: one stage of a training run."""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.documents.stage_result import ErrorReason, StageResult
from perennate.api.wellknown import STAGE_PREPARE, STAGE_TRAIN, STAGES, ExitCode
from perennate.artifacts import ArtifactError
from perennate.trainer.causes import place, safe_message, safe_traceback, without_values
from perennate.trainer.errors import BadConfigurationError, DataRefusedError, StageError, is_transient
from perennate.trainer.paths import RunPaths
from perennate.trainer.progress import report
from perennate.trainer.termination import run_error, write_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TextIO

    StageName = Literal["prepare", "train", "publish"]

TRANSIENT = 1
"""Exit code of an error that may not come back. The Job retries within its backoffLimit."""
UNEXPECTED: Final = {STAGE_PREPARE: DataRefusedError}
"""The errors of a stage that nothing foresaw; for the stages not listed, BadConfigurationError."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run a stage and write its result to the termination message.

    Args:
        arguments: name of the stage.
        environment: paths of the run, and the run request.

    Returns:
        The exit code: an `ExitCode`, or 1 for an error that may not come back.
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
        print(safe_traceback(error), file=sys.stderr, end="", flush=True)
        return _unexpected(stage, error)


def _unexpected(stage: StageName, error: Exception) -> tuple[int, StageResult]:
    """Exit code and result of an error that no stage foresaw. Neither repeats a value of a row."""
    if is_transient(error):
        message = f"{stage} failed: {type(error).__name__}: {_cause(error)}; see the container's log"
        return TRANSIENT, StageResult(stage=stage, error=run_error(ErrorReason.STAGE_FAILED, message))
    kind = UNEXPECTED.get(stage, BadConfigurationError)
    message = (
        f"{stage} failed unexpectedly, and a retry would fail again: {type(error).__name__}: {safe_message(error)}, "
        f"raised in {place(error)}; see the container's log"
    )
    return kind.exit_code, StageResult(stage=stage, error=run_error(kind.reason, message))


def _cause(error: Exception) -> str:
    """The message of a transient error, which names paths, sizes and hosts, or only safe words of it."""
    return str(error) if isinstance(error, OSError | ArtifactError) else safe_message(error)


def _stage(stage: StageName, paths: RunPaths, environment: Mapping[str, str]) -> StageResult:
    # Imports here, so that each stage imports only what it needs: prepare uses no pandas.
    if stage == STAGE_PREPARE:
        from perennate.trainer.request import read_request  # noqa: PLC0415
        from perennate.trainer.stages.prepare import prepare  # noqa: PLC0415

        return prepare(read_request(environment), paths, now=time.time())
    from perennate.trainer.model.threads import one_thread_of_linear_algebra  # noqa: PLC0415

    with one_thread_of_linear_algebra():
        if stage == STAGE_TRAIN:
            from perennate.trainer.stages.train import train  # noqa: PLC0415

            return train(paths)
        from perennate.trainer.request import read_request  # noqa: PLC0415
        from perennate.trainer.stages.publish import publish  # noqa: PLC0415

        return publish(read_request(environment), paths)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning of a library without the parts that may be values of rows. Replaces `warnings.showwarning`."""
    del line
    where = f"{'/'.join(Path(filename).parts[-2:])}:{lineno}"
    text = without_values(str(message), {filename})
    print(f"{category.__name__} ({where}): {text}", file=file or sys.stderr, flush=True)


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
    warnings.showwarning = show_warning
    sys.exit(main(sys.argv[1:], os.environ))
