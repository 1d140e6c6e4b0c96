"""The Makefile, and the script for continuous integration."""

from __future__ import annotations

import os
import re
import subprocess

from tests.support.tree import ROOT

TARGETS = {
    *(
        "help",
        "install",
        "lock",
        "clean",
        "fmt",
        "generate",
        "lint",
        "typecheck",
        "verify",
        "coverage",
        "audit",
        "sbom",
    ),
    *("test", "test-unit", "test-repo", "test-statistics", "test-runtime", "test-integration", "test-e2e"),
    "test-security",
    *("test-kind", "test-kind-short", "test-full", "test-peers", "test-clients"),
    *("bench", "bench-drift", "bench-scraping", "demo", "cluster-up", "cluster-down", "images"),
}


def help_text() -> str:
    """The output of `make help`."""
    return subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_help_lists_every_target() -> None:
    declared = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    listed = set(re.findall(r"^  ([a-z0-9-]+) +\S", help_text(), re.MULTILINE))
    assert listed == declared
    assert declared >= TARGETS


def test_ci_runs_make_test() -> None:
    """`.ci/run` is executable and only calls `make test`."""
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert os.access(script, os.X_OK)
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_the_error_for_a_missing_interpreter_is_one_sentence(tmp_path: object) -> None:
    """It says which Python is needed and how to select it."""
    environment = os.environ | {"PYTHON": "/nonexistent/python3"}
    command = ["tools/venv.sh", f"{tmp_path}/stamp"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "error: no /nonexistent/python3 on PATH: perennate needs Python 3.11 or newer (or set PYTHON=/path/to/python3)."
    ]


def test_step_keeps_the_exit_code_and_prints_the_duration() -> None:
    result = subprocess.run(["tools/step.sh", "a step", "false"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert re.fullmatch(r"\n==> a step\n    a step: FAILED \(exit 1\) after \d+\.\d s\n", result.stdout)
