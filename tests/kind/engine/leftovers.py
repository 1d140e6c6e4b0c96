"""Snapshots of the host and their differences: the check that an engine leaves nothing behind."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kind.engine import firewall, sysctls
from tools.cluster.host.commands import run
from tools.cluster.host.processes import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Part of the host -> name of an entry -> its content. Plain strings, so that a snapshot can be stored as JSON.
Snapshot = dict[str, dict[str, str]]

#: Places that an engine, containerd, a kubelet or kind may write to outside their own folders.
PLACES = (
    "/etc/cni",
    "/etc/containerd",
    "/etc/docker",
    "/etc/docker/key.json",
    "/etc/kubernetes",
    "/opt/cni",
    "/opt/containerd",
    "/run/containerd",
    "/run/docker",
    "/run/docker.sock",
    "/run/docker.pid",
    "/run/xtables.lock",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
)
#: Marks of a cluster from packages: its names, its addresses, and the folder for named network namespaces, which an
#: engine does not use. Another test may start such a cluster at the same time, and checks itself that nothing is left.
_OTHER_CLUSTER = re.compile(r"\b(?:perennate|pn)-[0-9a-f]{8}\b|\b198\.1[89]\.|^mount left: /run/netns\b")
#: Parts that are reported even with such a mark.
_ALWAYS = ("process", "firewall", "file")
_COMMAND_WIDTH = 120
#: Control groups below the first level come and go with services and users. Only these are listed.
_CGROUP_NAMES = ("docker*", "kube*")


def snapshot(mark: str) -> Snapshot:
    """Return the current state of the host.

    Args:
        mark: the path of an engine's own folder; processes that contain it are listed.
    """
    return {
        "process": processes(mark),
        "network link": links(),
        "route": _lines(["ip", "route", "show", "table", "all"], ["ip", "-6", "route", "show", "table", "all"]),
        "network namespace": _entries(Path("/run/netns")),
        "firewall rule": dict.fromkeys(firewall.rules(), ""),
        "firewall table": dict.fromkeys(firewall.tables(), ""),
        "mount": mounts(),
        "control group": dict.fromkeys(map(str, cgroups()), ""),
        "file": {place: "" for place in PLACES if Path(place).exists()},
        "sysctl": sysctls.read(),
    }


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Return one line for each entry that appeared, disappeared or changed between two snapshots.

    Kernel settings belong to an entry (for example a network link) that is listed itself, so only changed values of
    settings that are in both snapshots are reported.
    """
    found: list[str] = []
    for part in before.keys() | after.keys():
        old, new = before.get(part, {}), after.get(part, {})
        found += [f"{part} changed: {name}: {old[name]!r} -> {new[name]!r}" for name in old if _changed(name, old, new)]
        if part != "sysctl":
            found += [f"{part} left: {_line(name, new)}" for name in new.keys() - old.keys()]
        if part not in {"sysctl", "process"}:
            found += [f"{part} gone: {_line(name, old)}" for name in old.keys() - new.keys()]
    return sorted(line for line in found if line.startswith(_ALWAYS) or not _OTHER_CLUSTER.search(line))


def _changed(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return name in new and old[name] != new[name]


def _line(name: str, things: Mapping[str, str]) -> str:
    return f"{name} ({things[name]})" if things[name] else name


def cgroups() -> list[Path]:
    """Return the control groups on the first level of each tree, and those of engines and kubelets at any depth.

    Groups below one of an engine or a kubelet are not listed.
    """
    found: set[Path] = set()
    for tree in _cgroup_trees():
        found |= {path for path in tree.iterdir() if path.is_dir()}
        named = {path for name in _CGROUP_NAMES for path in tree.rglob(name) if path.is_dir()}
        found |= {path for path in named if named.isdisjoint(path.parents)}
    return sorted(found)


def _cgroup_trees() -> list[Path]:
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(words[1]) for words in lines if words[2] in {"cgroup", "cgroup2"}]


def processes(mark: str) -> dict[str, str]:
    """Return the processes that have `mark` in their command or environment: id -> command."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                content = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in content:
                found[folder.name] = " ".join(command_line(int(folder.name)))[:_COMMAND_WIDTH]
    return found


def links() -> dict[str, str]:
    """Return the names of the host's network links, each with an empty string."""
    return {path.name: "" for path in Path("/sys/class/net").iterdir()}


def _lines(*commands: list[str]) -> dict[str, str]:
    texts = [run(command, what="list the routes") for command in commands]
    # These values count down.
    return {
        re.sub(r"\s(?:expires|hoplimit|pref)\s\S+", "", line).strip(): ""
        for text in texts
        for line in text.splitlines()
    }


def _entries(folder: Path) -> dict[str, str]:
    return {path.name: "" for path in folder.iterdir()} if folder.is_dir() else {}


def mounts() -> dict[str, str]:
    """Return the mounts: path -> type of file system."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {words[1]: words[2] for words in lines}
