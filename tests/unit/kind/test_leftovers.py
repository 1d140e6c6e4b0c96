"""The check for leftovers reports each kind of change to a host, but ignores other clusters."""

from __future__ import annotations

import pytest

from tests.kind.engine import sysctls
from tests.kind.engine.leftovers import Snapshot, differences


def host(**changed: dict[str, str]) -> Snapshot:
    """Return a snapshot of a quiet host, with some parts replaced; an underscore in a name stands for a blank."""
    quiet: Snapshot = {
        "process": {},
        "network link": {"lo": "", "eth0": ""},
        "route": {"default via 192.0.2.1 dev eth0": ""},
        "network namespace": {},
        "firewall rule": {},
        "firewall table": {},
        "mount": {"/": "ext4"},
        "control group": {},
        "file": {"/etc/docker": ""},
        "sysctl": {"vm/overcommit_memory": "0", "net/ipv4/conf/eth0/forwarding": "0"},
    }
    return quiet | {name.replace("_", " "): content for name, content in changed.items()}


@pytest.mark.parametrize(
    ("part", "content", "reported"),
    [
        ("process", {"77": "dockerd --x"}, "process left: 77 (dockerd --x)"),
        ("network_link", {"lo": "", "eth0": "", "docker0": ""}, "network link left: docker0"),
        ("network_link", {"lo": ""}, "network link gone: eth0"),
        ("network_namespace", {"a": ""}, "network namespace left: a"),
        ("firewall_rule", {"ip nat -N DOCKER": ""}, "firewall rule left: ip nat -N DOCKER"),
        ("firewall_table", {"ip nat": ""}, "firewall table left: ip nat"),
        ("mount", {"/": "ext4", "/data": "overlay"}, "mount left: /data (overlay)"),
        ("mount", {"/": "tmpfs"}, "mount changed: /: 'ext4' -> 'tmpfs'"),
        ("control_group", {"/sys/fs/cgroup/cpu/docker": ""}, "control group left: /sys/fs/cgroup/cpu/docker"),
        ("file", {}, "file gone: /etc/docker"),
        ("sysctl", {"vm/overcommit_memory": "1"}, "sysctl changed: vm/overcommit_memory: '0' -> '1'"),
    ],
)
def test_each_kind_of_change_is_reported(part: str, content: dict[str, str], reported: str) -> None:
    """One line for each thing that an engine or a cluster can leave on a host."""
    assert reported in differences(host(), host(**{part: content}))


def test_an_unchanged_host_has_no_differences() -> None:
    assert differences(host(), host()) == []


def test_kernel_settings_of_a_new_link_are_not_reported() -> None:
    """The link itself is reported in one line, without its hundred settings."""
    more = {"net/ipv4/conf/docker0/forwarding": "1"} | host()["sysctl"]
    assert differences(host(), host(sysctl=more)) == []
    assert differences(host(sysctl=more), host()) == []


def test_a_process_that_ended_is_not_reported() -> None:
    assert differences(host(process={"77": "dockerd"}), host()) == []


def test_clusters_from_packages_are_ignored() -> None:
    """Another test may start or stop one at the same time, and checks it itself."""
    links = {"lo": "", "eth0": "", "pn-0123abcd": ""}
    routes = {"default via 192.0.2.1 dev eth0": "", "198.18.16.0/24 dev pn-0123abcd": ""}
    groups = {"/sys/fs/cgroup/cpu/perennate-0123abcd": ""}
    busy = host(network_link=links, route=routes, control_group=groups, mount={"/": "ext4", "/run/netns": "ext4"})
    assert differences(host(), busy) == []
    assert differences(busy, host()) == ["mount gone: /run/netns (ext4)"]


def test_a_process_of_another_cluster_is_reported() -> None:
    """A process that the command left running is reported, whichever cluster it talks to."""
    left = host(process={"77": "kubectl --kubeconfig perennate-0123abcd.kubeconfig"})
    assert differences(host(), left) == ["process left: 77 (kubectl --kubeconfig perennate-0123abcd.kubeconfig)"]


def test_only_known_kernel_settings_are_restored() -> None:
    """Other settings are only reported. `ip_forward` comes first, because it changes the forwarding of all links."""
    before = {"net/ipv4/conf/eth0/forwarding": "0", "net/ipv4/ip_forward": "0", "kernel/hostname": "a", "gone": "1"}
    after = {"net/ipv4/conf/eth0/forwarding": "1", "net/ipv4/ip_forward": "1", "kernel/hostname": "b"}
    assert sysctls.changed(before, after) == ["net/ipv4/ip_forward", "net/ipv4/conf/eth0/forwarding"]
