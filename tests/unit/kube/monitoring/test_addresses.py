"""Addresses that are scraped, and those that never are."""

from __future__ import annotations

import pytest

from perennate.kube.intake.trimming import trim
from perennate.kube.monitoring.addresses import address_of, cluster_addresses, is_pod_address
from perennate.kube.monitoring.scrape import HttpMetricsSource, ScrapeFailure
from tests.support.pods.hostile_pods import Unlimited

REFUSED = [
    "127.0.0.1",
    "127.1.2.3",
    "::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "169.254.169.254",
    "169.254.170.2",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fe80::1%eth0",
    "fd00:1::7%2",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
    "2001:0:a9fe:a9fe::",
    "2001:db8::5efe:169.254.169.254",
    "fd00::200:5efe:7f00:1",
    "host",
    "metadata.google.internal",
    "10.0.0.1:3001",
    "10.0.0.1/../",
    "10.0.0.1@169.254.169.254",
    "010.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "127.1",
    "[::1]",
    "",
    " 10.0.0.1",
    "10.0.0.1\r\nx: y",
    "\u0661\u0660.0.0.1",
]
ALLOWED = [
    "10.244.0.7",
    "192.168.1.4",
    "172.16.0.9",
    "100.64.0.1",
    "fd00::7",
    "2600:1f18::5",
    "::ffff:10.0.0.1",
    "8.8.8.8",
]


@pytest.mark.parametrize("address", REFUSED)
async def test_addresses_that_no_pod_can_have_are_rejected(address: str) -> None:
    """Special addresses, those of clouds' own services, IPv6 addresses around IPv4 ones, and what is no address."""
    assert not is_pod_address(address)
    answer = await HttpMetricsSource().read(address, "/counts", limit=1, allowance=Unlimited())
    assert isinstance(answer, ScrapeFailure)
    assert answer.message.endswith("is not an address that a pod can have")
    assert answer.message.isprintable()


@pytest.mark.parametrize("address", ALLOWED)
def test_addresses_that_pods_have_are_allowed(address: str) -> None:
    """Pods usually have addresses in private ranges, and in some clusters public ones."""
    assert is_pod_address(address)


async def test_the_api_server_is_not_scraped() -> None:
    """In any form of its address."""
    refused = cluster_addresses({"KUBERNETES_SERVICE_HOST": "10.96.0.1"})
    source = HttpMetricsSource(refused=refused)
    for address in ("10.96.0.1", "::ffff:10.96.0.1"):
        answer = await source.read(address, "/counts", limit=1, allowance=Unlimited())
        assert answer == ScrapeFailure(f"{address!r} is not an address that a pod can have")
    assert cluster_addresses({"KUBERNETES_SERVICE_HOST": "kubernetes.example"}) == frozenset()
    assert cluster_addresses({}) == frozenset()


def test_a_pod_in_the_network_of_its_node_is_not_scraped() -> None:
    """Its address is that of the node, where others listen too."""
    assert address_of({"status": {"podIP": "10.0.0.5", "hostIP": "10.0.0.5"}}) is None
    assert address_of({"status": {"podIP": "10.244.0.5", "hostIP": "10.0.0.5"}}) == "10.244.0.5"
    status = {"podIP": "10.0.0.5", "hostIP": "10.0.0.5"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": status}
    assert address_of(trim(pod)) is None, "what the cache keeps of a pod says so too"
    assert address_of({"status": {}}) is None
    assert address_of({}) is None
