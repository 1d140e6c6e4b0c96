"""Kernel settings: an engine and a kubelet change some of them on the host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path("/proc/sys")
#: Counters, and values that the kernel generates on each read.
_VOLATILE = re.compile(
    r"fs/(?:dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota/.*|epoll/.*|binfmt_misc/.*)"
    r"|kernel/(?:random/.*|ns_last_pid|pty/nr|tainted|keys/.*|sched_domain/.*)"
    r"|net/netfilter/nf_conntrack_count|net/ipv4/(?:tcp_fastopen_key|route/.*)|.*/stable_secret"
)
#: Settings that are known to change: by dockerd (forwarding), by systemd in the privileged node (fs), by kubelet and
#: kube-proxy (the others).
_RESTORED = re.compile(
    r"fs/(?:file-max|protected_\w+)|kernel/(?:panic|panic_on_oops)|vm/(?:overcommit_memory|panic_on_oom)"
    r"|net/ipv4/ip_forward|net/ipv[46]/conf/.*|net/bridge/.*|net/netfilter/nf_conntrack_.*"
)
#: One setting can change others: forwarding for all links does so for each.
_PASSES = 3


def read() -> dict[str, str]:
    """Return all settings that can be read, without those that change by themselves."""
    found = {}
    for path in _ROOT.rglob("*"):
        name = str(path.relative_to(_ROOT))
        if not _VOLATILE.fullmatch(name) and path.is_file():
            try:
                found[name] = path.read_text(errors="replace").strip()
            except OSError:
                # Some can only be written, some belong to a link that is gone by now.
                continue
    return found


def restore(before: Mapping[str, str]) -> None:
    """Restore what an engine or a cluster changed. `leftovers` reports what could not be restored."""
    for _ in range(_PASSES):
        wrong = changed(before, read())
        for name in wrong:
            try:
                (_ROOT / name).write_text(before[name])
            except OSError:
                continue
        if not wrong:
            return


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the settings in `_RESTORED` that changed. Settings that change others come first."""
    names = [name for name in before if _RESTORED.fullmatch(name) and after.get(name, before[name]) != before[name]]
    return sorted(names, key=lambda name: (name != "net/ipv4/ip_forward", "/all/" not in name, name))
