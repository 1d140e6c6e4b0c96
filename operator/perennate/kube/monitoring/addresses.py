"""Which IP addresses the operator scrapes. The address of a pod comes from its status, and is checked all the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final, TypeAlias

from perennate.api.meta import Manifest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments; 192.0.0.192 is a metadata service.
        "100.100.100.200/32",  # Metadata of Alibaba Cloud.
        "168.63.129.16/32",  # Platform services of Azure.
        "fd00:ec2::/64",  # Metadata and other services of AWS.
        "fd20:ce::254/128",  # Metadata of Google Cloud.
        "fd00:c1::a9fe:a9fe/128",  # Metadata of Oracle Cloud.
        "fd00:42::42/128",  # Metadata of Scaleway.
        "fec0::/10",  # Site-local addresses, which are deprecated.
        "100::/64",  # Discard-only.
    )
)
"""Addresses of cloud services, and special ones that `ipaddress` does not classify as such."""
_EMBEDDING: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 with a local prefix
        "::/96",  # IPv4-compatible
        "::ffff:0:0:0/96",  # IPv4-translated
    )
)
"""IPv6 networks whose addresses end in an IPv4 address."""
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
"""The third quarter of an IPv6 address that ends in an IPv4 address."""


def is_pod_address(address: str) -> bool:
    """Whether an address can be a pod's.

    Not loopback, link-local (metadata of clouds), multicast, reserved or unspecified, no known address of a cloud's own
    services, and no IPv6 address that wraps one of these or any IPv4 address.
    """
    parsed = parse_address(address)
    if parsed is None or _is_special(parsed):
        return False
    return not any(parsed in network for network in _REFUSED if network.version == parsed.version)


def parse_address(address: str) -> Address | None:
    """The address, an IPv4 one if it is IPv4-mapped; None if it is not one, or names an interface (`fe80::1%eth0`)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    return None if parsed.scope_id else parsed.ipv4_mapped or parsed


def cluster_addresses(environ: Mapping[str, str]) -> frozenset[str]:
    """Addresses of the cluster itself that no pod has: that of the API server, as pods know it."""
    parsed = parse_address(environ.get("KUBERNETES_SERVICE_HOST", ""))
    return frozenset() if parsed is None else frozenset({str(parsed)})


def address_of(pod: Manifest) -> str | None:
    """IP address of the pod; None before it has one, and for a pod in the network of its node."""
    status = pod.get("status", {})
    address: str | None = status.get("podIP")
    return None if address is not None and address == status.get("hostIP") else address


def _is_special(address: Address) -> bool:
    """Whether an address is not for unicast between hosts, or wraps an IPv4 address."""
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_reserved or address in ipaddress.ip_network("0.0.0.0/8")
    if address.sixtofour is not None or address.teredo is not None:
        return True
    embedding = any(address in network for network in _EMBEDDING)
    return embedding or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
