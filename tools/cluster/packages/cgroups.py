"""The parent cgroup of all pods of a cluster, for cgroup v1 and v2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host.processes import wait_until

if TYPE_CHECKING:
    from tools.cluster.instance import Instance

_ROOT = Path("/sys/fs/cgroup")
_REMOVE_SECONDS = 10.0
#: Controllers that the kubelet needs (v2).
_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def _trees() -> list[Path]:
    """Return the mounted hierarchies: one with v2, one per controller with v1, none outside of Linux."""
    if not _ROOT.is_dir():
        return []
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [
        tree
        for tree in sorted(_ROOT.iterdir())
        if tree.is_dir() and not tree.is_symlink() and (tree / "cgroup.procs").exists()
    ]


def folders(instance: Instance) -> list[Path]:
    """Return the existing cgroup folders of the instance, one per hierarchy."""
    return [tree / instance.id for tree in _trees() if (tree / instance.id).exists()]


def make(instance: Instance) -> None:
    """Create the cgroup of the instance in every hierarchy, with its controllers enabled."""
    for tree in _trees():
        folder = tree / instance.id
        folder.mkdir(exist_ok=True)
        if tree is _ROOT or tree == _ROOT:
            available = (tree / "cgroup.controllers").read_text().split()
            wanted = " ".join(f"+{name}" for name in _CONTROLLERS if name in available)
            for parent in (tree, folder):
                (parent / "cgroup.subtree_control").write_text(wanted)
        elif (folder / "cpuset.cpus").exists() and not (folder / "cpuset.cpus").read_text().strip():
            # A new v1 cpuset has no CPUs and no memory nodes until they are set.
            for name in ("cpuset.cpus", "cpuset.mems"):
                (folder / name).write_text((tree / name).read_text())


def remove(instance: Instance) -> bool:
    """Remove the cgroups of the instance. Return False if a process in them did not end in time."""
    return wait_until(lambda: all(_remove_tree(folder) for folder in folders(instance)), seconds=_REMOVE_SECONDS)


def _remove_tree(folder: Path) -> bool:
    below = sorted(
        (path for path in folder.rglob("*") if path.is_dir()), key=lambda path: len(path.parts), reverse=True
    )
    for path in (*below, folder):
        try:
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True
