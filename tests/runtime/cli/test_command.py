"""The command `perennate` as a process: start, terminal output and memory."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.exits import Exit
from tests.support.pods.drift_command import make_table, write

pytestmark = pytest.mark.runtime

COMMAND = [sys.executable, "-m", "perennate.cli"]
HEAVY = {"numpy", "scipy", "pyarrow", "pydantic", "rich", "pandas", "sklearn"}
MIB = 1024 * 1024


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A reference and a drifted file, as arguments."""
    train, week = make_table(seed=1), make_table(seed=2, shift=8)
    paths = write(train, tmp_path / "train.parquet"), write(week, tmp_path / "week.csv.gz")
    return ["drift", "--reference", str(paths[0]), "--current", str(paths[1])]


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """The output of the command on a terminal, from both streams."""
    own, theirs = pty.openpty()
    terminal = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment
    with subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, env=terminal) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(own, 65_536)
            except OSError:  # the last process with the terminal open has exited
                break
            shown += piece
        process.wait()
    os.close(own)
    return shown.decode()


def test_the_console_script_is_installed() -> None:
    """`perennate` equals `python -m perennate.cli`."""
    (script,) = (found for found in entry_points(group="console_scripts") if found.name == "perennate")
    assert script.value == "perennate.cli.main:main"


@pytest.mark.parametrize("arguments", [["--help"], ["drift", "--help"], ["--version"]])
def test_help_imports_no_slow_module(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom perennate.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_command_needs_neither_pandas_nor_scikit_learn(files: list[str]) -> None:
    """The extra `cli` is pyarrow and rich."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in {'pandas', 'sklearn', 'matplotlib', 'kubernetes', 'jinja2'}:\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"from perennate.cli.main import main\nsys.exit(main({files!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (Exit.DRIFT, "")


def test_a_pipeline_gets_only_the_document_on_stdout(files: list[str]) -> None:
    """The exit code is the result, and stderr is empty."""
    done = subprocess.run([*COMMAND, *files, "-o", "json"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (Exit.DRIFT, "")
    assert json.loads(done.stdout)["outcome"] == "Drift"


def test_output_on_a_terminal_has_colours_unless_disabled(files: list[str]) -> None:
    """NO_COLOR is honoured; a pipe never gets colours."""
    assert "\x1b[1;31m" in on_a_terminal(files)
    plain = on_a_terminal(files, NO_COLOR="1")
    assert "\x1b[1;31m" not in plain
    assert "\x1b[31m" not in plain
    assert "Drift in 1 column: age." in plain


def test_progress_is_shown_on_a_terminal(files: list[str]) -> None:
    """Progress is on stderr, unless it is switched off."""
    assert "reading train.parquet" in on_a_terminal(files)
    assert "reading train.parquet" not in on_a_terminal([*files, "--no-progress"])


def test_a_page_is_not_written_to_a_terminal(files: list[str]) -> None:
    """The error says how to write the page to a file."""
    assert "give --output-file report.html" in on_a_terminal([*files, "-o", "html"])


def test_the_error_for_a_missing_file_has_no_traceback(files: list[str]) -> None:
    done = subprocess.run([*COMMAND, *files, "gone.csv"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith("perennate: gone.csv: does not exist; its folder ")
    assert done.stderr.count("\n") == 1


def test_threads_are_limited_to_the_available_cores() -> None:
    """A process bound to one core uses one thread."""
    code = (
        "import os\nfrom perennate.cli.drift.reference import workers\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nprint(workers())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def peak(arguments: list[str]) -> int:
    """The peak memory of the command, in bytes."""
    # getrusage would include the memory of the parent process.
    code = (
        "import re, sys\nfrom perennate.cli.main import main\nsys.stdout = open('/dev/null', 'w')\n"
        f"main({arguments!r})\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1]) * 1024


def long_table(rows: int) -> pa.Table:
    """Five columns of numbers."""
    chance = np.random.default_rng(1)
    return pa.table({f"n{index}": chance.normal(size=rows).round(6) for index in range(5)})


@pytest.mark.parametrize("form", ["csv", "parquet", "feather"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: str) -> None:
    """Six times as many rows need less than half of the memory that the added rows would take."""
    train = write(long_table(20_000), tmp_path / f"train.{form}")
    small, large = (write(long_table(rows), tmp_path / f"{rows}.{form}") for rows in (500_000, 3_000_000))
    peaks = [peak(["drift", "--reference", str(train), "--current", str(path)]) for path in (small, large)]
    added = (3_000_000 - 500_000) * 5 * 8
    assert peaks[1] - peaks[0] < added / 2, [value // MIB for value in peaks]


def test_a_reference_is_limited_to_the_requested_rows(tmp_path: Path) -> None:
    """Further rows are not kept in memory, also not those of a csv file."""
    small, large = (write(long_table(rows), tmp_path / f"{rows}.csv") for rows in (1_000_000, 3_000_000))
    options = ["--reference-rows", "20000", "--save-profile", str(tmp_path / "profile.json")]
    peaks = [peak(["drift", "--reference", str(path), *options]) for path in (small, large)]
    added = (3_000_000 - 1_000_000) * 5 * 8
    assert peaks[1] - peaks[0] < added / 2, [value // MIB for value in peaks]


def test_a_report_has_a_date_that_can_be_fixed(tmp_path: Path) -> None:
    """With SOURCE_DATE_EPOCH, equal data give equal files."""
    train = write(make_table(), tmp_path / "train.csv")
    command = [sys.executable, "-m", "perennate.cli", "drift", "--reference", str(train), "--current", str(train)]
    pages = []
    for _ in range(2):
        run = subprocess.run(
            [*command, "-o", "html"],
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
            capture_output=True,
            text=True,
            check=True,
        )
        pages.append(run.stdout)
    assert pages[0] == pages[1]
    assert "Made on 2023-11-14 at 22:13 UTC." in pages[0]


def test_a_closed_pipe_ends_with_130(tmp_path: Path) -> None:
    """`perennate drift ... | head` must not look like an internal error."""
    columns = {f"column {index}": np.random.default_rng(index).normal(size=600) for index in range(200)}
    train = write(pa.table(columns), tmp_path / "train.parquet")
    command = [sys.executable, "-m", "perennate.cli", "drift", "--reference", str(train), "--current", str(train)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (Exit.INTERRUPTED, b"")
