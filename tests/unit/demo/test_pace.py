"""The pace of the demo follows the speed of the machine."""

from __future__ import annotations

import pytest
import yaml

from tests.support.tree import ROOT
from tools.demo.pace import EXPECTED_SECONDS, slowdown, slower_times
from tools.demo.steps import RATE, RATE_ROWS

EXAMPLE = ROOT / "examples" / "01-rainfall"


@pytest.mark.parametrize(
    ("seconds", "factor"), [(1, 1), (EXPECTED_SECONDS, 1), (2 * EXPECTED_SECONDS, 2)], ids=["fast", "normal", "slow"]
)
def test_the_demo_slows_down_only_on_a_slow_machine(seconds: float, factor: float) -> None:
    assert slowdown(seconds) == factor


def test_slower_times_scales_all_durations_of_the_policy() -> None:
    """Counts, shares and other fields do not change."""
    spec = yaml.safe_load((EXAMPLE / "drift-policy.yaml").read_text())["spec"]
    assert slower_times(spec, 1.5) == {
        "interval": "5s",
        "scrapeInterval": "2s",
        "window": "45s",
        "retrain": {"cooldown": "45s", "trainingJobTemplate": {"spec": {"data": {"captured": {"window": "30s"}}}}},
    }


def test_the_example_contains_the_default_rate() -> None:
    """The demo slows the traffic down by replacing this text."""
    assert RATE.format(RATE_ROWS) in (EXAMPLE / "traffic.yaml").read_text()
    assert RATE.format(RATE_ROWS / 2) == '{name: RATE, value: "22.5"}'
