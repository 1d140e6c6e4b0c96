"""Parsing of the operator's environment variables, and the errors for invalid values."""

from __future__ import annotations

import pytest

from perennate.controllers.environment import InvalidEnvironmentError, read_environment
from perennate.kube.runtime.watching import STALE_SECONDS

IMAGES = {"PERENNATE_TRAINER_IMAGE": "trainer:1", "PERENNATE_SERVING_IMAGE": "serving:1"}


def test_defaults_are_as_documented() -> None:
    """Only the two images are required; an empty variable counts as unset."""
    environment = read_environment({**IMAGES, "PERENNATE_STORE_CLASS": "", "PERENNATE_LOG_LEVEL": ""})
    assert environment.settings.trainer_image == "trainer:1"
    assert environment.settings.store_class is None
    assert (environment.health_port, environment.metrics_port) == (8080, 8081)
    assert (environment.log_level, environment.leader_election) == ("INFO", True)
    assert environment.stale_watch_seconds == STALE_SECONDS
    assert environment.watch_namespaces == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("team-a", ("team-a",)),
        ("team-a,team-b", ("team-a", "team-b")),
        (" team-a , team-b,, team-a", ("team-a", "team-b")),
        ("0", ("0",)),
        ("a" * 63, ("a" * 63,)),
        (" , ", ()),
    ],
)
def test_watched_namespaces_are_a_list_without_duplicates(text: str, names: tuple[str, ...]) -> None:
    assert read_environment({**IMAGES, "PERENNATE_WATCH_NAMESPACES": text}).watch_namespaces == names


@pytest.mark.parametrize("name", ["team-*", "!team-a", "Team", "a.b", "-a", "a-", "a" * 64, "a/b", "../b", "a b", "ä"])
def test_a_watched_namespace_must_be_a_name(name: str) -> None:
    """A Role cannot be granted by a pattern, and a name that is part of a path must not leave it."""
    with pytest.raises(InvalidEnvironmentError, match=r"PERENNATE_WATCH_NAMESPACES must be names .* got"):
        read_environment({**IMAGES, "PERENNATE_WATCH_NAMESPACES": f"team-a,{name}"})


WRONG = {
    "an image is missing": ({"PERENNATE_TRAINER_IMAGE": ""}, "PERENNATE_TRAINER_IMAGE is not set"),
    "a port that is not a number": (
        {"PERENNATE_HEALTH_PORT": "http"},
        "PERENNATE_HEALTH_PORT must be a port .* got 'http'",
    ),
    "a port above 65535": ({"PERENNATE_METRICS_PORT": "70000"}, "PERENNATE_METRICS_PORT must be a port .* got '70000'"),
    "a stale watch after zero seconds": (
        {"PERENNATE_STALE_WATCH_SECONDS": "0"},
        "PERENNATE_STALE_WATCH_SECONDS must be a number of seconds from 1 to 86400; got '0'",
    ),
    "an unknown access mode": (
        {"PERENNATE_STORE_ACCESS_MODE": "rw"},
        "PERENNATE_STORE_ACCESS_MODE must be one of ReadWriteOnce, .* got 'rw'",
    ),
    "an unknown log level": ({"PERENNATE_LOG_LEVEL": "loud"}, "PERENNATE_LOG_LEVEL must be one of DEBUG"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_for_an_invalid_value_names_the_variable(case: str) -> None:
    changes, sentence = WRONG[case]
    with pytest.raises(InvalidEnvironmentError, match=sentence):
        read_environment({**IMAGES, **changes})
