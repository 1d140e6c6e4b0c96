"""Hints: sentences that describe what changed without statistical terms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from perennate.drift.profile.build import build_profile
from perennate.drift.verdicts.faults import FAULT_CONSECUTIVE
from perennate.drift.verdicts.hints import percent
from perennate.drift.verdicts.persistence import Signal, Streak, advance
from perennate.drift.verdicts.verdict import Evaluation, evaluate_drift
from tests.support.drift.makers import generator, make_sample

ROWS = 2000
EVERY = np.arange(ROWS) % 20
"""Spreads changes over all rows: changed rows in one block would be one cluster, and not significant."""
Columns = dict[str, np.ndarray]


def columns_of(seed: int) -> Columns:
    """Age with 2 % missing values, speed up to 120, two countries, and three numbers of wheels."""
    draw = generator(seed)
    age = draw.normal(40, 10, ROWS)
    age[::50] = np.nan
    return {
        "age": age,
        "speed": np.minimum(draw.gamma(4, 15, ROWS), 120.0),
        "country": draw.choice(np.array(["de", "fr"], dtype=object), ROWS),
        "wheels": draw.choice([2.0, 4.0, 6.0], ROWS, p=[0.2, 0.7, 0.1]),
    }


PROFILE = build_profile(columns_of(1), task="regression")


def broken(name: str, share: float, value: object) -> Evaluation:
    """The evaluation of a window without drift, in which a share of one column has another value."""
    columns = columns_of(2)
    column = columns[name].astype(object)
    column[: int(share * ROWS)] = value
    return evaluate_drift(make_sample(PROFILE, columns | {name: column}))


FAULTS = {
    "missing": ("age", 0.3, np.nan, "`age`: 31 % missing, 2 % in training"),
    "unseen category": (
        "country",
        0.12,
        "it",
        "`country`: 12 % of rows have a category that is not in the training data",
    ),
    "not a number": ("age", 0.1, "n/a", "`age`: 10 % of rows are not a number, 0 % in training"),
    "above": ("speed", 0.4, 300.0, "`speed`: 40 % above the largest training value 120"),
    "below": ("speed", 0.1, -1.0, "`speed`: 10 % below the smallest training value "),
}


@pytest.mark.parametrize(("name", "share", "value", "hint"), FAULTS.values(), ids=FAULTS)
def test_fault_hint_names_feature_and_normal_rate(name: str, share: float, value: object, hint: str) -> None:
    """The hint names the column, the fault, and the rate in training."""
    found = broken(name, share, value)

    assert [fault.feature for fault in found.faults] == [name]
    assert found.faults[0].hint.startswith(hint)
    assert found.fault_signal is Signal.RAISED


CHANGES: dict[str, tuple[str, Callable[[Columns], np.ndarray], str]] = {
    "a default value": ("age", lambda c: np.where(EVERY < 5, 40.0, c["age"]), "`age`: values above 3"),
    "a category": ("country", lambda c: np.where(EVERY < 9, "fr", c["country"]), "`country`: 'fr' is 7"),
    "the mean, upwards": ("age", lambda c: c["age"] + 3, "`age`: mean shifted by 0."),
    "the mean, downwards": ("age", lambda c: c["age"] - 3, "`age`: mean shifted by 0."),
}


@pytest.mark.parametrize(("name", "change", "hint"), CHANGES.values(), ids=CHANGES)
def test_change_hint_says_how_the_feature_changed(
    name: str, change: Callable[[Columns], np.ndarray], hint: str
) -> None:
    """The hint says which values became more frequent, or how the mean moved; unchanged features have no hint."""
    columns = columns_of(2)
    found = {
        item.name: item.hint
        for item in evaluate_drift(make_sample(PROFILE, columns | {name: change(columns)})).features
    }

    assert found[name].startswith(hint)
    assert [text for other, text in found.items() if other != name] == ["", "", ""]


def test_hint_names_a_value_that_became_more_frequent() -> None:
    """If the column has few values, the hint contains the value."""
    columns = columns_of(2)
    columns["wheels"][EVERY < 8] = 4.0
    found = {item.name: item.hint for item in evaluate_drift(make_sample(PROFILE, columns)).features}

    assert found["wheels"].startswith("`wheels`: 4 is 8")
    assert "% in training" in found["wheels"]


def test_percent_shows_small_shares() -> None:
    """Whole percent, but a share below 1 % is not rounded to 0."""
    assert [percent(share) for share in (0.0, 0.0004, 0.31, 1.0)] == ["0 %", "0.04 %", "31 %", "100 %"]


def test_faults_raise_a_separate_alarm() -> None:
    """Two evaluations in a row with a fault raise it, one does not, and the drift alarm is not affected."""
    faulty, quiet = broken("age", 0.03, "n/a"), evaluate_drift(make_sample(PROFILE, columns_of(2)))
    assert (faulty.fault_signal, faulty.signal, quiet.fault_signal) == (Signal.RAISED, Signal.LOWERED, Signal.LOWERED)
    streak, seen = Streak(), ""
    for found in (faulty, quiet, faulty, faulty, quiet, quiet):
        streak = advance(streak, found.fault_signal, consecutive=FAULT_CONSECUTIVE)
        seen += "+" if streak.active else "."

    assert seen == "...++."


def test_fault_signal_is_unknown_with_few_rows() -> None:
    columns = {name: values[:100] for name, values in columns_of(2).items()}

    assert evaluate_drift(make_sample(PROFILE, columns)).fault_signal is Signal.UNKNOWN
