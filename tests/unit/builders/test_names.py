"""Names of children: valid, unique and stable across releases."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.builders import names

OWNERS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?", fullmatch=True)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@given(OWNERS, st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))
def test_a_child_name_is_a_dns_label(owner: str, suffix: str) -> None:
    """For any owner, the child's name is a DNS label of at most 63 characters that ends in the suffix."""
    name = names.child_name(owner, suffix)
    assert len(name) <= names.NAME_LIMIT
    assert LABEL.fullmatch(name)
    assert name.endswith(f"-{suffix}")


@given(OWNERS)
def test_a_label_value_is_valid_for_any_name(name: str) -> None:
    """A name that is too long for a label value is truncated and hashed; any other is unchanged."""
    value = names.label_value(name)
    assert len(value) <= names.NAME_LIMIT
    assert LABEL.fullmatch(value)
    assert (value == name) == (len(name) <= names.NAME_LIMIT)


def test_short_names_are_readable() -> None:
    assert names.child_name("rain", "x") == "rain-x"


def test_long_owners_that_differ_only_at_the_end_get_different_names() -> None:
    """A truncated name contains a hash of the whole owner name."""
    one, other = (names.child_name("a" * 80 + end, "suffix") for end in "bc")
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"uid": "u", "attempt": 0}, {"uid": "u", "attempt": 1}),
        ({"uid": "u", "attempt": 0}, {"uid": "v", "attempt": 0}),
    ],
    ids=["another attempt", "a later object with the same name"],
)
def test_each_attempt_of_each_run_has_its_own_job_name(one: dict[str, object], other: dict[str, object]) -> None:
    """The name of a Job depends on the uid of the TrainingJob and the attempt number."""
    assert names.run_job("t", **one) == names.run_job("t", **one)  # type: ignore[arg-type]
    assert names.run_job("t", **one) != names.run_job("t", **other)  # type: ignore[arg-type]


def test_names_do_not_change_between_releases() -> None:
    """A changed name would start the same attempt or episode a second time after an upgrade."""
    assert names.run_job("t", uid="uid", attempt=0) == "t-662917a6"
    assert names.episode_training_job("p", uid="uid", number=1) == "p-df59627b"
