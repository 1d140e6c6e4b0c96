"""What the environment may say, and how it is told that it may not."""

from __future__ import annotations

import pytest

from perennate.controllers.environment import WrongEnvironmentError, read_environment
from perennate.kube.runtime.watching import STALE_SECONDS

IMAGES = {"PERENNATE_TRAINER_IMAGE": "trainer:1", "PERENNATE_SERVING_IMAGE": "serving:1"}


def test_defaults_are_those_of_the_documentation() -> None:
    """The two images are all that must be said; what is empty counts as not said."""
    environment = read_environment({**IMAGES, "PERENNATE_STORE_CLASS": "", "PERENNATE_LOG_LEVEL": ""})
    assert environment.settings.trainer_image == "trainer:1"
    assert environment.settings.store_class is None
    assert (environment.health_port, environment.metrics_port) == (8080, 8081)
    assert (environment.log_level, environment.leader_election) == ("INFO", True)
    assert environment.stale_watch_seconds == STALE_SECONDS


WRONG = {
    "an image is missing": ({"PERENNATE_TRAINER_IMAGE": ""}, "PERENNATE_TRAINER_IMAGE is not set"),
    "a port that is none": ({"PERENNATE_HEALTH_PORT": "http"}, "PERENNATE_HEALTH_PORT must be a port .* got 'http'"),
    "a port too high": ({"PERENNATE_METRICS_PORT": "70000"}, "PERENNATE_METRICS_PORT must be a port .* got '70000'"),
    "no time to be silent at all": (
        {"PERENNATE_STALE_WATCH_SECONDS": "0"},
        "PERENNATE_STALE_WATCH_SECONDS must be a number of seconds from 1 to 86400; got '0'",
    ),
    "an access mode that does not exist": (
        {"PERENNATE_STORE_ACCESS_MODE": "rw"},
        "PERENNATE_STORE_ACCESS_MODE must be one of ReadWriteOnce, .* got 'rw'",
    ),
    "a log level that does not exist": ({"PERENNATE_LOG_LEVEL": "loud"}, "PERENNATE_LOG_LEVEL must be one of DEBUG"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_named_with_its_key(case: str) -> None:
    changes, sentence = WRONG[case]
    with pytest.raises(WrongEnvironmentError, match=sentence):
        read_environment({**IMAGES, **changes})
