"""Removal of a cluster, even a half-created one, with all its resources."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import ProcessId, wait_until
from tools.cluster.packages import cgroups, network, state

if TYPE_CHECKING:
    from tools.cluster.instance import Instance

_STOP_SECONDS = 20.0


def has_leftovers(instance: Instance) -> bool:
    """Return whether any resource of the cluster exists on this machine."""
    return instance.state.exists() or network.namespace_path(instance).exists() or bool(cgroups.folders(instance))


def remove(instance: Instance) -> None:
    """Remove processes, mounts, network, cgroups and files, if they exist.

    Raises:
        ClusterError: something could not be removed.
    """
    found = state.load(instance.state)
    _end_processes(instance, found)
    if not cgroups.remove(instance):
        raise ClusterError(f"Cannot remove the cgroups {instance.id}: a process in them did not end.")
    network.remove(instance, found.network if found else None)
    shutil.rmtree(instance.state, ignore_errors=True)
    if instance.state.exists():
        raise ClusterError(f"Cannot remove all of the folder {instance.state}.")
    with contextlib.suppress(OSError):
        # Only if it is empty: it may hold other clusters.
        if "PERENNATE_STATE" not in os.environ:
            instance.state.parent.rmdir()


def _end_processes(instance: Instance, found: state.State | None) -> None:
    if found is not None and found.process is not None:
        # `unshare` ignores SIGTERM. When it is killed, the kernel kills process 1 of the node, and with it all others.
        found.process.kill()
    for pid in network.processes_inside(instance):
        # We started all processes in our namespace; some may have ended since.
        with contextlib.suppress(ProcessLookupError):
            ProcessId.of(pid).kill()
    if not wait_until(lambda: not network.processes_inside(instance), seconds=_STOP_SECONDS):
        left = network.processes_inside(instance)
        raise ClusterError(f"Processes of the cluster {instance.id} did not end within {_STOP_SECONDS:.0f} s: {left}.")
