"""Fuzzing of every reader of untrusted bytes: each input is read or refused, quickly and in little memory."""

from __future__ import annotations

import importlib.machinery
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.statistics.fuzzing import documents, files
from tests.support.tree import ROOT

RUNS, FULL_RUNS = 400, 20_000
"""Inputs of each target in `make test` and in `make test-full`, the seeds included."""
SEEDS, LONGEST = 40, 4096
PATIENCE = 3_600
"""Seconds after which a run counts as one that hangs."""
FUZZER = Path(sys.prefix) / "fuzz"


@pytest.mark.parametrize("target", [*documents.TARGETS, *files.TARGETS])
def test_no_input_crashes_a_reader(target: str, full: bool, tmp_path: Path) -> None:
    """Inputs are random bytes, and valid documents and files with random edits, guided by code coverage."""
    if importlib.machinery.PathFinder.find_spec("atheris", [str(FUZZER)]) is None:
        pytest.skip("atheris is missing: `make install` could not install requirements/fuzz.txt")
    corpus, files_of_inputs = tmp_path / "corpus", tmp_path / "files"
    corpus.mkdir()
    files_of_inputs.mkdir()
    draw = random.Random(target)  # noqa: S311
    for seed in range(SEEDS):
        (corpus / str(seed)).write_bytes(draw.randbytes(draw.randrange(10, 200)))
    runs = FULL_RUNS if full else RUNS
    options = (f"-runs={runs}", f"-max_len={LONGEST}", "-len_control=0", "-seed=1")
    command = [sys.executable, "-m", "tests.statistics.fuzzing", target, *options]
    run = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(corpus)],
        cwd=ROOT,
        # A fuzzer ends without cleaning up: what it writes must lie where pytest does.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "TMPDIR": str(files_of_inputs)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    done = re.search(r"^Done (\d+) runs", run.stderr, re.MULTILINE)
    assert done is not None, run.stderr[-3000:]
    assert int(done[1]) >= runs
