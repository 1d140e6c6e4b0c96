"""Removes everything that an engine and its clusters added to the host since a snapshot."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kind.engine import firewall, leftovers, sysctls
from tools.cluster.host.commands import run, succeeds
from tools.cluster.host.processes import ProcessId, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.kind.engine.client import Client
    from tests.kind.engine.daemon import Folders
    from tests.kind.engine.leftovers import Snapshot

_LINK = re.compile(r"docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7}")
_SECONDS = 20
#: Size of the build cache that is kept between runs.
_BUILD_CACHE = "4GB"


def empty(client: Client) -> None:
    """Remove the engine's containers, volumes and networks."""
    containers = client.run("ps", "--all", "--quiet", what="list the engine's containers").split()
    if containers:
        client.run("rm", "--force", "--volumes", *containers, what="remove the engine's containers")
    client.run("volume", "prune", "--force", what="remove the engine's volumes")
    client.run("network", "prune", "--force", what="remove the engine's networks")


def prune(client: Client) -> None:
    """Remove images without a name, and the oldest entries of the build cache."""
    client.run("image", "prune", "--force", what="remove images without a name")
    keep = f"--keep-storage={_BUILD_CACHE}"
    client.run("builder", "prune", "--force", keep, what="remove the oldest of the build cache")


def clean(before: Snapshot, folders: Folders) -> None:
    """Restore the host to the snapshot `before`. dockerd must have ended."""
    _kill_strays(before, folders)
    _unmount(before, [folders.data, folders.run])
    for name in leftovers.links().keys() - before["network link"].keys():
        if _LINK.fullmatch(name):
            # Deleting one end of a pair deletes the other.
            succeeds(["ip", "link", "delete", name])
    firewall.restore(before["firewall rule"], before["firewall table"])
    for group in reversed(leftovers.cgroups()):
        if str(group) not in before["control group"] and group.name == "docker":
            _remove_group(group)
    sysctls.restore(before["sysctl"])
    for place in reversed(leftovers.PLACES):
        if place not in before["file"]:
            _remove_empty(Path(place))
    shutil.rmtree(folders.run, ignore_errors=True)


def _kill_strays(before: Snapshot, folders: Folders) -> None:
    """Kill processes that outlived dockerd: shims, containers, and programs that the command left running."""
    groups = [Path(name) for name in map(str, leftovers.cgroups()) if name not in before["control group"]]
    pids = {int(pid) for group in groups if group.name == "docker" for pid in _members(group)}
    pids |= {int(pid) for pid in leftovers.processes(str(folders.run))}
    found = []
    for pid in pids:
        try:
            found.append(ProcessId.of(pid))
        except ProcessLookupError:
            continue
    for process in found:
        process.kill()
    wait_until(lambda: not any(process.alive() for process in found), seconds=_SECONDS)


def _members(group: Path) -> Iterable[str]:
    for path in [group, *group.rglob("*")]:
        try:
            yield from (path / "cgroup.procs").read_text().split()
        except OSError:
            # A file, or a group that was removed in the meantime.
            continue


def _unmount(before: Snapshot, folders: Iterable[Path]) -> None:
    """Remove all mounts at or below `folders`, the innermost first."""
    new = [name for name in leftovers.mounts() if name not in before["mount"]]
    inside = [name for name in new if any(Path(name).is_relative_to(folder) for folder in folders)]
    for name in sorted(inside, reverse=True):
        run(["umount", name], what=f"unmount {name}")


def _remove_group(group: Path) -> None:
    """Remove a control group and those below it.

    A group that still has processes stays, and `leftovers` reports it.
    """
    below = sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True)
    for path in [*below, group]:
        # A group is busy for a moment after its last process ended.
        wait_until(partial(_rmdir, path), seconds=1)


def _rmdir(path: Path) -> bool:
    try:
        path.rmdir()
    except OSError:
        return not path.exists()
    return True


def _remove_empty(place: Path) -> None:
    """Remove a folder if it contains only folders and sockets."""
    if place.is_dir() and not place.is_symlink():
        for path in sorted(place.rglob("*"), reverse=True):
            if path.is_socket():
                path.unlink()
            elif path.is_dir():
                _rmdir(path)
        _rmdir(place)
