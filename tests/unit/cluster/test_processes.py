"""Process identities, error messages of commands, and the state file."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from tools.cluster.host import debian, processes
from tools.cluster.host.commands import tail
from tools.cluster.host.ports import free_ports
from tools.cluster.host.processes import ProcessId
from tools.cluster.packages import state
from tools.cluster.packages.state import State
from tools.cluster.programs import toolchain

_STATE = State("demo", "0123abcd", "198.18.0.0/20", "/bin/kube", ProcessId(1, 2, "boot"))


def test_wait_until_times_out() -> None:
    assert not processes.wait_until(lambda: False, seconds=0.01, pause=0.001)


def test_tail_joins_the_last_lines_of_a_log() -> None:
    """Empty lines are skipped."""
    assert tail("a\nb\n\nc\n  d \n") == "b | c | d"


def test_state_round_trips(tmp_path: Path) -> None:
    _STATE.save(tmp_path)
    assert state.load(tmp_path) == _STATE
    assert _STATE.addresses.network == ipaddress.IPv4Network("198.18.0.0/20")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x"}'])
def test_an_unreadable_state_file_counts_as_no_state(tmp_path: Path, content: str) -> None:
    """It must not prevent the replacement of a broken cluster."""
    (tmp_path / "state.json").write_text(content)
    assert state.load(tmp_path) is None


def test_free_ports_are_distinct() -> None:
    assert len(set(free_ports(20))) == 20


def test_only_missing_packages_are_returned() -> None:
    wanted = {"sh": "dash", "no-such-program": "b", "/no/such/file": "a", "/no/other": "a"}
    assert debian.missing(wanted) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.27rc1 linux/amd64", (1, 27)),
        ("", None),
        ("gopher", None),
    ],
)
def test_the_go_version_is_parsed(text: str, want: tuple[int, int] | None) -> None:
    """Unknown output counts as no Go."""
    assert toolchain.parse_version(text) == want
