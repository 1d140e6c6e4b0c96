"""Names and addresses of a cluster: stable per checkout, different between checkouts, and not in use."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from tools.cluster.instance import RANGE, Instance, Slice, choose_slice

_FIRST = Slice(ipaddress.IPv4Network("198.18.0.0/20"))


def test_an_instance_is_stable_per_checkout() -> None:
    """All commands of a checkout find the same cluster."""
    assert Instance.of("demo", checkout=Path("/a")) == Instance.of("demo", checkout=Path("/a"))


@pytest.mark.parametrize(("name", "checkout"), [("other", "/a"), ("demo", "/b")])
def test_instances_differ_by_name_and_checkout(name: str, checkout: str) -> None:
    one, two = Instance.of("demo", checkout=Path("/a")), Instance.of(name, checkout=Path(checkout))
    assert not {one.id, one.link, str(one.state)} & {two.id, two.link, str(two.state)}


def test_link_name_fits_the_kernel_limit() -> None:
    """The name of a network device has at most 15 characters."""
    assert len(Instance.of("a-very-long-name-indeed", checkout=Path("/some/long/path")).link) <= 15


def test_the_parts_of_a_slice_are_disjoint_and_inside_it() -> None:
    """Links, services and pods have separate ranges, all covered by the unreachable route on the host."""
    parts = [_FIRST.links, _FIRST.services, _FIRST.pods]
    assert all(part.subnet_of(_FIRST.network) for part in parts)
    assert not any(one.overlaps(two) for one in parts for two in parts if one is not two)
    assert _FIRST.node_pods.subnet_of(_FIRST.pods)
    assert (_FIRST.host, _FIRST.node, _FIRST.api_service) == ("198.18.0.1", "198.18.0.2", "198.18.1.1")


def test_a_slice_in_use_is_skipped() -> None:
    taken = [ipaddress.IPv4Network("198.18.3.7/32"), ipaddress.IPv4Network("10.0.0.0/8")]
    assert choose_slice(0, taken) == Slice(ipaddress.IPv4Network("198.18.16.0/20"))


def test_the_search_for_a_free_slice_wraps_around() -> None:
    last = list(RANGE.subnets(new_prefix=20))[-1]
    assert choose_slice(31, [last]) == _FIRST


def test_choose_slice_returns_none_if_the_range_is_full() -> None:
    assert choose_slice(5, [RANGE]) is None


def test_preferred_slices_are_in_range_and_spread() -> None:
    numbers = {Instance.of(str(number)).preferred_slice() for number in range(200)}
    assert numbers <= set(range(32))
    assert len(numbers) > 16
