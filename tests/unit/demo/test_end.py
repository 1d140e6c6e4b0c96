"""The end of the demo: exit code, clean-up of the cluster, and final output."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from tools.demo.__main__ import NAMESPACE, run_and_clean_up
from tools.demo.cluster import Cluster, DemoError
from tools.demo.steps import next_steps


@dataclass
class End:
    """The end of one run. Commands to the local cluster are recorded, not run."""

    asked: list[str] = field(default_factory=list)
    screen: io.StringIO = field(default_factory=io.StringIO)

    def local(self, *arguments: str) -> str:
        """Answer like `python -m tools.cluster`."""
        self.asked.append(" ".join(arguments))
        return {"kubeconfig": "/clusters/admin.kubeconfig", "bin": "/cache/bin"}.get(self.asked[-1], "")

    def of(self, run: Callable[[], bool], **environ: str) -> int:
        """Return the exit code of a demo whose steps are `run`."""
        return run_and_clean_up(Console(file=self.screen, highlight=False), run, environ, local=self.local)

    @property
    def said(self) -> str:
        """The output."""
        return self.screen.getvalue()


def fail(error: BaseException) -> Callable[[], bool]:
    """Return steps that raise `error`."""

    def run() -> bool:
        raise error

    return run


ENDS: dict[str, tuple[Callable[[], bool], int, str]] = {
    "the loop closed": (lambda: True, 0, ""),
    "the loop did not close": (lambda: False, 1, ""),
    "a step failed": (
        fail(DemoError("`helm` failed: no [such] chart")),
        1,
        "The demo stopped: `helm` failed: no [such] chart",
    ),
    "interrupted": (fail(KeyboardInterrupt()), 1, "Interrupted"),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_exit_code_is_the_verdict_and_the_cluster_goes(case: str) -> None:
    """0 only if all checks passed. Without KEEP, the cluster is removed and no commands are suggested."""
    run, code, said = ENDS[case]
    end = End()
    assert end.of(run) == code
    assert end.asked == ["down"]
    assert said in end.said
    assert "Try:" not in end.said


@pytest.mark.parametrize("case", ENDS)
def test_a_cluster_that_is_kept_comes_with_what_to_try(case: str) -> None:
    """KEEP=1 keeps the cluster, also after a failure, and prints how to use it."""
    run, code, _ = ENDS[case]
    end = End()
    assert end.of(run, KEEP="1") == code
    assert "down" not in end.asked
    assert next_steps("/clusters/admin.kubeconfig", "/cache/bin", NAMESPACE) in end.said


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_only_one_word_keeps_the_cluster(value: str) -> None:
    end = End()
    end.of(lambda: True, KEEP=value)
    assert end.asked == ["down"]


def test_an_error_of_the_demo_itself_leaves_no_cluster() -> None:
    """An unexpected error is raised, and the cluster is still removed."""
    end = End()
    with pytest.raises(ZeroDivisionError):
        end.of(fail(ZeroDivisionError()))
    assert end.asked == ["down"]


def test_a_command_without_end_stops_the_demo_like_any_other_failure() -> None:
    """A command that times out is reported like one that fails, without a traceback."""
    with pytest.raises(DemoError, match=r"^`sleep 600` took longer than 0.01 s$"):
        Cluster("", "", "").run("sleep", "600", timeout=0.01)
