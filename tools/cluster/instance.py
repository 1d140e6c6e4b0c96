"""The identity of a cluster, and all names and addresses derived from it, so that checkouts do not collide."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKOUT = Path(__file__).resolve().parents[2]

#: The range reserved for benchmarks of network devices (RFC 2544), which no network should route.
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
#: Each cluster uses one slice of 4096 addresses.
_SLICE_PREFIX = 20
_STATE = Path("/var/lib/perennate")


@dataclass(frozen=True, slots=True)
class Instance:
    """One cluster of one checkout.

    Attributes:
        name: name given by the user, "default" if none.
        digest: hash of the checkout's path and the name, eight hex digits.
    """

    name: str
    digest: str

    @classmethod
    def of(cls, name: str = "default", *, checkout: Path = CHECKOUT) -> Instance:
        """Return the instance `name` of the checkout at `checkout`."""
        text = f"{checkout}\0{name}"
        return cls(name=name, digest=hashlib.sha256(text.encode()).hexdigest()[:8])

    @property
    def id(self) -> str:
        """Name of the network namespace, of the cgroup and of the kind cluster."""
        return f"perennate-{self.digest}"

    @property
    def link(self) -> str:
        """Name of the host's end of the network link; the kernel allows 15 characters."""
        return f"pn-{self.digest}"

    @property
    def state(self) -> Path:
        """State folder of the cluster. `PERENNATE_STATE` overrides its parent."""
        return Path(os.environ.get("PERENNATE_STATE") or _STATE) / self.digest

    def preferred_slice(self) -> int:
        """Return the number of the address slice that this instance tries first."""
        return int(self.digest, 16) % len(list(RANGE.subnets(new_prefix=_SLICE_PREFIX)))


@dataclass(frozen=True, slots=True)
class Slice:
    """The addresses of one cluster: a slice of `RANGE`, divided into links, services and pods."""

    network: ipaddress.IPv4Network

    @property
    def host(self) -> str:
        """The host's address on the link to the node."""
        return str(self.network[1])

    @property
    def node(self) -> str:
        """The node's address, also the API server's."""
        return str(self.network[2])

    @property
    def links(self) -> ipaddress.IPv4Network:
        """Range of the link between host and nodes (256 addresses)."""
        return next(self.network.subnets(new_prefix=24))

    @property
    def services(self) -> ipaddress.IPv4Network:
        """Range of service addresses (256)."""
        return list(self.network.subnets(new_prefix=24))[1]

    @property
    def api_service(self) -> str:
        """Address of the service `kubernetes`, the first of the range by definition."""
        return str(self.services[1])

    @property
    def dns_service(self) -> str:
        """Address of the DNS service, the tenth of the range by convention."""
        return str(self.services[10])

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """Range of pod addresses (2048)."""
        return list(self.network.subnets(new_prefix=21))[1]

    @property
    def node_pods(self) -> ipaddress.IPv4Network:
        """The first node's part of the pod addresses (256)."""
        return next(self.pods.subnets(new_prefix=24))


def slice_of(address: ipaddress.IPv4Address) -> Slice:
    """Return the slice that contains `address`."""
    return Slice(ipaddress.IPv4Network((address, _SLICE_PREFIX), strict=False))


def choose_slice(preferred: int, taken: Iterable[ipaddress.IPv4Network]) -> Slice | None:
    """Return the first slice from `preferred` on, with wrap-around, that overlaps none of `taken`; or None."""
    slices = list(RANGE.subnets(new_prefix=_SLICE_PREFIX))
    used = list(taken)
    for number in range(len(slices)):
        candidate = slices[(preferred + number) % len(slices)]
        if not any(candidate.overlaps(other) for other in used):
            return Slice(candidate)
    return None
