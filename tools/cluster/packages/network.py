"""The node's network: a namespace of its own, one link to the host, and no way out."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.instance import RANGE, Slice, choose_slice, slice_of

if TYPE_CHECKING:
    from tools.cluster.instance import Instance

_NAMESPACES = Path("/run/netns")
#: Name of the node's end of the link, inside its namespace.
_INSIDE = "eth0"


def namespace_path(instance: Instance) -> Path:
    """Return the file that stands for the instance's network namespace."""
    return _NAMESPACES / instance.id


def networks_in_use() -> list[ipaddress.IPv4Network]:
    """Return every range that the host has a route to, the default route left out."""
    routes = json.loads(
        run(["ip", "-json", "-4", "route", "show", "table", "all"], what="read the host's routes") or "[]"
    )
    found = [route["dst"] for route in routes if route.get("dst", "default") != "default"]
    return [ipaddress.IPv4Network(text, strict=False) for text in found]


def choose(instance: Instance) -> Slice:
    """Choose a slice of addresses that nothing on this machine uses.

    Raises:
        ClusterError: every slice is taken.
    """
    chosen = choose_slice(instance.preferred_slice(), networks_in_use())
    if chosen is None:
        raise ClusterError(
            f"Every part of the address range {RANGE} is in use here: run `make cluster-down` in another checkout."
        )
    return chosen


def connect(instance: Instance, addresses: Slice) -> None:
    """Make the network namespace, the link between it and the host, and the wall around it.

    The wall is an unreachable route on the host: no packet to a pod or a service leaves the machine, so a test that
    forgets itself fails at once instead of talking to somebody else's network. It also marks the slice as taken.
    Inside, only pods, services and the host can be reached: everything else is unreachable, so the node cannot talk to
    the outside.

    Raises:
        ClusterError: the kernel or this container does not allow it.
    """
    name, length = instance.id, addresses.links.prefixlen
    run(["ip", "route", "add", "unreachable", addresses.network], what=f"reserve the addresses {addresses.network}")
    run(["ip", "netns", "add", name], what="make a network namespace")
    link = ["ip", "link", "add", instance.link, "type", "veth", "peer", "name", _INSIDE, "netns", name]
    run(link, what="link the network namespace with the host")
    batch = [
        f"address add {addresses.node}/{length} dev {_INSIDE}",
        f"link set {_INSIDE} up",
        "link set lo up",
        # A packet to a service address needs some route before kube-proxy gives it a pod's address.
        f"route add {addresses.services} dev {_INSIDE}",
        "route add unreachable default",
    ]
    run(["ip", "-netns", name, "-batch", "-"], stdin="\n".join(batch), what="set up the node's network")
    host = [f"address add {addresses.host}/{length} dev {instance.link}", f"link set {instance.link} up"]
    run(["ip", "-batch", "-"], stdin="\n".join(host), what="set up the host's end of the node's network")


def processes_inside(instance: Instance) -> list[int]:
    """Return the ids of the processes in the instance's network namespace; pods have namespaces of their own."""
    if not namespace_path(instance).exists():
        return []
    return [int(word) for word in run(["ip", "netns", "pids", instance.id], what="list the node's processes").split()]


def reserved(instance: Instance) -> str | None:
    """Return the slice that the instance's link shows, for when its state is lost; None if there is no link."""
    if not (Path("/sys/class/net") / instance.link).exists():
        return None
    shown = json.loads(run(["ip", "-json", "address", "show", "dev", instance.link], what="read the link's address"))
    found = [each["local"] for each in shown[0].get("addr_info", []) if each["family"] == "inet"]
    return str(slice_of(ipaddress.IPv4Address(found[0])).network) if found else None


def remove(instance: Instance, network: str | None) -> None:
    """Remove link, namespace and the route to `network`; what is not there is passed over."""
    network = network or reserved(instance)
    if (Path("/sys/class/net") / instance.link).exists():
        run(["ip", "link", "delete", instance.link], what="remove the node's network link")
    if namespace_path(instance).exists():
        run(["ip", "netns", "delete", instance.id], what="remove the network namespace")
    if network is not None:
        # It fails only if the route is not there, which is what is wanted.
        succeeds(["ip", "route", "delete", "unreachable", network])
