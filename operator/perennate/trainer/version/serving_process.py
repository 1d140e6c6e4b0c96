"""Load a version in a process of its own, as a serving pod does, and ask it for some rows.

The process is `python -P -m perennate.trainer.version.serving_process FOLDER DIGEST`. It shares nothing with the
process that made the version: no imported module, no object, no thread setting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.model_manifest import MANIFEST_FILE
from perennate.artifacts import Prediction
from perennate.trainer.causes import safe_traceback
from perennate.trainer.errors import BadConfigurationError, refusing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perennate.api.documents.model_manifest import ModelManifest

SERVING_THREADS: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Thread settings of a serving pod."""
PROGRAM: Final = (sys.executable, "-P", "-m", "perennate.trainer.version.serving_process")
QUESTIONS_FILE: Final = "questions.json"
REFUSED: Final = 13
"""Exit code of the process for a version that cannot be served; standard output has the reason."""


class ServingProcessError(OSError):
    """The process ended without an answer, for example because it was killed for its memory. A retry may help."""


def check_served(
    manifest: ModelManifest,
    files: Mapping[str, bytes],
    records: list[dict[str, Any]],
    expected: Prediction,
    *,
    program: Sequence[str] = PROGRAM,
) -> None:
    """Check in a new process that a version that is not published yet can be loaded and answers as it should.

    Args:
        manifest: of the version.
        files: its other files.
        records: rows to ask for.
        expected: the predictions of the trained model for them.
        program: runs in the process, with the folder and the digest of the version as arguments.

    Raises:
        BadConfigurationError: it cannot be loaded, or an answer is refused or differs.
        ServingProcessError: the process was killed or failed for another reason that may not come back.
    """
    with tempfile.TemporaryDirectory(prefix="perennate-version-") as name:
        folder = Path(name) / "version"
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        (folder / MANIFEST_FILE).write_bytes(canonical_json(manifest.to_document()))
        (Path(name) / QUESTIONS_FILE).write_text(_questions(records, expected), encoding="utf-8")
        _run([*program, str(folder), manifest.digest])


def main(folder: Path, digest: str) -> int:
    """Load the version in a folder and compare its answers with those expected.

    Returns:
        0, or `REFUSED` after the reason was written to standard output.
    """
    # Imports here: the process that starts this one needs none of them.
    from perennate.serving.model.model import ServedModel  # noqa: PLC0415
    from perennate.trainer.version.answers import check_answers  # noqa: PLC0415

    questions = json.loads((folder.parent / QUESTIONS_FILE).read_text(encoding="utf-8"))
    probabilities = questions["probabilities"]
    expected = Prediction(
        values=np.asarray(questions["values"]),
        probabilities=None if probabilities is None else np.asarray(probabilities, dtype=np.float64),
    )
    try:
        with refusing("spec.trainer: a serving pod could not load the version"):
            model = ServedModel.load(folder, digest)
        check_answers(model, questions["records"], expected)
    except BadConfigurationError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


def _questions(records: list[dict[str, Any]], expected: Prediction) -> str:
    probabilities = None if expected.probabilities is None else expected.probabilities.tolist()
    return json.dumps({"records": records, "values": expected.values.tolist(), "probabilities": probabilities})


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, **SERVING_THREADS}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode == REFUSED:
        raise BadConfigurationError(done.stdout)
    if done.returncode != 0:
        raise ServingProcessError(
            f"the process that loads the version as a serving pod does ended with exit code {done.returncode}; if it "
            "was killed (-9), give the stage more memory in spec.resources"
        )


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except Exception as failure:
        sys.stderr.write(safe_traceback(failure))
        sys.exit(1)
