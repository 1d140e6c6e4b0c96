"""The end of the demo: exit code, clean-up of the cluster, and final output."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from tools.demo.__main__ import NAMESPACE, run_and_clean_up
from tools.demo.cluster import DemoError
from tools.demo.steps import next_steps


@dataclass
class DemoEnd:
    """The end of a demo run. Commands to the local cluster are recorded, not run."""

    commands: list[str] = field(default_factory=list)
    screen: io.StringIO = field(default_factory=io.StringIO)

    def local(self, *arguments: str) -> str:
        """Answer like `python -m tools.cluster`."""
        self.commands.append(" ".join(arguments))
        return {"kubeconfig": "/clusters/admin.kubeconfig", "bin": "/cache/bin"}.get(self.commands[-1], "")

    def exit_code(self, run: Callable[[], bool], **environ: str) -> int:
        """Return the exit code of a demo whose steps are `run`."""
        return run_and_clean_up(Console(file=self.screen, highlight=False), run, environ, local=self.local)

    @property
    def output(self) -> str:
        """The text that was printed."""
        return self.screen.getvalue()


def fail(error: BaseException) -> Callable[[], bool]:
    """Return steps that raise `error`."""

    def run() -> bool:
        raise error

    return run


OUTCOMES: dict[str, tuple[Callable[[], bool], int, str]] = {
    "the loop closed": (lambda: True, 0, ""),
    "the loop did not close": (lambda: False, 1, ""),
    "a step failed": (
        fail(DemoError("`helm` failed: no [such] chart")),
        1,
        "The demo stopped: `helm` failed: no [such] chart",
    ),
    "interrupted": (fail(KeyboardInterrupt()), 1, "Interrupted"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_exit_code_reports_success_and_the_cluster_is_removed(case: str) -> None:
    """0 only if all checks passed. Without KEEP, the cluster is removed and no commands are suggested."""
    run, code, message = OUTCOMES[case]
    end = DemoEnd()
    assert end.exit_code(run) == code
    assert end.commands == ["down"]
    assert message in end.output
    assert "Try:" not in end.output


@pytest.mark.parametrize("case", OUTCOMES)
def test_keep_leaves_the_cluster_and_prints_next_steps(case: str) -> None:
    """KEEP=1 keeps the cluster, also after a failure, and prints how to use it."""
    run, code, _ = OUTCOMES[case]
    end = DemoEnd()
    assert end.exit_code(run, KEEP="1") == code
    assert "down" not in end.commands
    assert next_steps("/clusters/admin.kubeconfig", "/cache/bin", NAMESPACE) in end.output


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_other_values_of_keep_remove_the_cluster(value: str) -> None:
    end = DemoEnd()
    end.exit_code(lambda: True, KEEP=value)
    assert end.commands == ["down"]


def test_the_cluster_is_removed_after_an_unexpected_error() -> None:
    """The error is raised again."""
    end = DemoEnd()
    with pytest.raises(ZeroDivisionError):
        end.exit_code(fail(ZeroDivisionError()))
    assert end.commands == ["down"]
