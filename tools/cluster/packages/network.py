"""The node's network: its own namespace with one link to the host, and no route to the outside."""

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
    """Return the path of the instance's network namespace."""
    return _NAMESPACES / instance.id


def networks_in_use() -> list[ipaddress.IPv4Network]:
    """Return all ranges that the host has a route to, except the default route."""
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
        raise ClusterError(f"The address range {RANGE} is fully in use: run `make cluster-down` in another checkout.")
    return chosen


def connect(instance: Instance, addresses: Slice) -> None:
    """Create the network namespace and its link to the host, isolated from all other networks.

    An unreachable route on the host keeps packets for pods and services on the machine, so a test with a wrong address
    fails at once instead of reaching another network. The route also marks the slice as taken. Inside of the namespace,
    only pods, services and the host are reachable.

    Raises:
        ClusterError: the kernel or this container does not allow it.
    """
    name, length = instance.id, addresses.links.prefixlen
    run(["ip", "route", "add", "unreachable", addresses.network], what=f"reserve the addresses {addresses.network}")
    run(["ip", "netns", "add", name], what="create a network namespace")
    link = ["ip", "link", "add", instance.link, "type", "veth", "peer", "name", _INSIDE, "netns", name]
    run(link, what="link the network namespace with the host")
    batch = [
        f"address add {addresses.node}/{length} dev {_INSIDE}",
        f"link set {_INSIDE} up",
        "link set lo up",
        # A packet to a service address needs a route before kube-proxy rewrites the address.
        f"route add {addresses.services} dev {_INSIDE}",
        "route add unreachable default",
    ]
    run(["ip", "-netns", name, "-batch", "-"], stdin="\n".join(batch), what="set up the node's network")
    host = [f"address add {addresses.host}/{length} dev {instance.link}", f"link set {instance.link} up"]
    run(["ip", "-batch", "-"], stdin="\n".join(host), what="set up the host's end of the node's network")


def processes_inside(instance: Instance) -> list[int]:
    """Return the ids of the processes in the instance's network namespace. Pods have their own namespaces."""
    if not namespace_path(instance).exists():
        return []
    return [int(word) for word in run(["ip", "netns", "pids", instance.id], what="list the node's processes").split()]


def reserved(instance: Instance) -> str | None:
    """Return the slice of the instance, read from its link in case its state is lost; None if there is no link."""
    if not (Path("/sys/class/net") / instance.link).exists():
        return None
    shown = json.loads(run(["ip", "-json", "address", "show", "dev", instance.link], what="read the link's address"))
    found = [each["local"] for each in shown[0].get("addr_info", []) if each["family"] == "inet"]
    return str(slice_of(ipaddress.IPv4Address(found[0])).network) if found else None


def remove(instance: Instance, network: str | None) -> None:
    """Remove the link, the namespace and the route to `network`, if they exist."""
    network = network or reserved(instance)
    if (Path("/sys/class/net") / instance.link).exists():
        run(["ip", "link", "delete", instance.link], what="remove the node's network link")
    if namespace_path(instance).exists():
        run(["ip", "netns", "delete", instance.id], what="remove the network namespace")
    if network is not None:
        # This fails only if the route does not exist.
        succeeds(["ip", "route", "delete", "unreachable", network])
