"""Verdicts on windows: drift is a change that is both significant and large."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import NumericFeature
from perennate.drift.verdicts.persistence import Signal, Streak, advance
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from perennate.drift.windows.window import Window
from tests.support.drift.makers import (
    HOUR,
    START,
    generator,
    make_columns,
    make_profile,
    make_recorder,
    make_sample,
    make_scores,
    record,
)

PROFILE = make_profile()


def judge(rows: int, *, shift: float = 0.0, seed: int = 5, **settings: float) -> Evaluation:
    """The verdict on `rows` rows, with f0 shifted and the scores unchanged."""
    sample = make_sample(PROFILE, make_columns(rows, seed, shift=shift), scores=make_scores(rows, seed)[0])
    return evaluate_drift(sample, **settings)  # type: ignore[arg-type]


def test_no_verdict_without_drift() -> None:
    """Rows like the training rows: no verdict, a lowered signal, and every feature and the score evaluated."""
    found = judge(1000)

    assert (found.verdict, found.signal, found.faults) == (DriftVerdict.NONE, Signal.LOWERED, ())
    assert {item.name for item in found.features} == {"f0", "f1", "f2", "country", "score"}
    assert all(item.design_effect == 1 for item in found.features)
    assert found.reason == "no significant change"


def test_a_shifted_feature_is_drift() -> None:
    """The feature shifted by 0.75 standard deviations drifts, comes first and is named; the others do not drift."""
    found = judge(1000, shift=0.75)

    assert (found.verdict, found.signal) == (DriftVerdict.DRIFTED, Signal.RAISED)
    assert found.features[0].name == "f0"
    assert found.features[0].psi_star > 0.2
    assert {item.verdict for item in found.features[1:]} == {DriftVerdict.NONE}
    assert found.reason == f"drifted: f0 (PSI* {found.features[0].psi_star:.2f})"


def test_a_medium_change_is_a_warning() -> None:
    """Near the drift threshold it neither raises nor lowers the alarm."""
    found = judge(4000, shift=0.4)

    assert found.verdict is DriftVerdict.WARNING
    assert 0.1 <= found.features[0].psi_star < 0.2
    assert judge(4000, shift=0.4, drifted=found.features[0].psi_star / 0.9).signal is Signal.BETWEEN
    assert judge(4000, shift=0.4, drifted=found.features[0].psi_star / 0.7).signal is Signal.LOWERED


@pytest.mark.parametrize(("shift", "verdict"), [(0.01, DriftVerdict.NONE), (0.02, DriftVerdict.CHANGED)])
def test_a_tiny_shift_in_very_many_rows_is_not_drift(shift: float, verdict: DriftVerdict) -> None:
    """In ten million rows, 0.01 standard deviations are not significant; 0.02 are significant, but too small."""
    profile = build_profile({"x": generator().normal(size=200_000)}, task="regression")
    feature = profile.features[0]
    assert isinstance(feature, NumericFeature)
    shares = np.diff(norm.cdf(np.concatenate(([-np.inf], feature.edges, [np.inf])) - shift))
    counts = np.round(shares * 10_000_000).astype(int)
    window = Window(profile, length=24 * HOUR, scrape_interval=15)
    document = make_recorder(profile).document()
    rows = int(counts.sum())
    document |= {"rows": rows, "seen": rows, "counts": [counts.tolist()]}
    window.add(document, pod="a", now=START + HOUR)
    found = evaluate_drift(window.sample(START + 2 * HOUR))

    assert (found.verdict, found.signal) == (verdict, Signal.LOWERED)
    assert found.features[0].psi_star < 0.01


@pytest.mark.parametrize("spike", [0.0, 1.0], ids=["at the minimum", "at the maximum"])
@pytest.mark.parametrize(
    ("share", "verdict"), [(0.3, DriftVerdict.DRIFTED), (0.6, DriftVerdict.NONE), (0.9, DriftVerdict.DRIFTED)], ids=str
)
def test_a_value_in_most_rows_drifts_only_with_its_share(spike: float, share: float, verdict: DriftVerdict) -> None:
    """60 % of the rows at the minimum or the maximum, as in training, are not drift; half or 1.5 times as many are."""
    draw = generator()
    training, rows = (
        np.where(draw.random(count) < part, spike, draw.random(count)) for count, part in ((10_000, 0.6), (2000, share))
    )
    found = evaluate_drift(make_sample(build_profile({"x": training}, task="regression"), {"x": rows}))

    assert (found.verdict, found.faults) == (verdict, ())
    assert [item.verdict for item in found.features] == [verdict]


@pytest.mark.parametrize("rows", [8, 499])
def test_few_rows_are_unknown(rows: int) -> None:
    """Below the minimum the verdict is Unknown, not None, however large the change."""
    found = judge(rows, shift=5.0)

    assert (found.verdict, found.signal, found.features) == (DriftVerdict.UNKNOWN, Signal.UNKNOWN, ())
    assert found.reason == f"{rows} rows in the window, 500 are needed"


def test_minimum_is_at_least_100_rows() -> None:
    """A policy cannot set a lower minimum."""
    assert judge(99, shift=5.0, min_samples=1).verdict is DriftVerdict.UNKNOWN
    assert judge(100, shift=5.0, min_samples=1).verdict is DriftVerdict.DRIFTED


def test_window_is_unknown_during_warm_up() -> None:
    """There is no verdict before 1/24 of the window has passed."""
    window, recorder = Window(PROFILE, length=24 * HOUR, scrape_interval=15), make_recorder(PROFILE)
    record(recorder, 2000, seed=1, labelled=False)
    window.add(recorder.document(), pod="a", now=START + 600)
    found = evaluate_drift(window.sample(START + 600))

    assert found.verdict is DriftVerdict.UNKNOWN
    assert found.reason == "600 s of the window observed, a verdict needs 1/24 of its length"


def test_feature_without_values_is_unknown_among_known_ones() -> None:
    columns = make_columns(1000, seed=5)
    columns["f1"] = np.full(1000, np.nan)
    found = evaluate_drift(make_sample(PROFILE, columns))
    verdicts = {item.name: item.verdict for item in found.features}

    assert verdicts["f1"] is DriftVerdict.UNKNOWN
    assert verdicts["score"] is DriftVerdict.UNKNOWN
    assert verdicts["f0"] is DriftVerdict.NONE
    assert found.verdict is DriftVerdict.NONE


def test_verdict_is_unknown_if_every_feature_is() -> None:
    columns = {name: np.full(1000, None, dtype=object) for name in make_columns(1)}
    found = evaluate_drift(make_sample(PROFILE, columns))

    assert (found.verdict, found.signal) == (DriftVerdict.UNKNOWN, Signal.UNKNOWN)
    assert found.reason == "no feature has enough rows with a value"
    assert {fault.check for fault in found.faults} == {"missing"}


def test_a_changed_score_is_drift() -> None:
    """The score is evaluated like a feature; no feature needs to drift."""
    found = evaluate_drift(make_sample(PROFILE, make_columns(1000, seed=5), scores=make_scores(1000)[0] ** 0.4))

    assert found.verdict is DriftVerdict.DRIFTED
    assert found.features[0].name == "score"


def test_an_unknown_category_is_drift_and_a_fault() -> None:
    """It is counted as `other`."""
    columns = make_columns(1000, seed=5)
    columns["country"][:300] = "us"
    found = evaluate_drift(make_sample(PROFILE, columns))

    assert found.features[0].name == "country"
    assert found.verdict is DriftVerdict.DRIFTED
    assert [(fault.feature, fault.check, fault.rate) for fault in found.faults] == [("country", "other", 0.3)]


FAULTS = {
    "missing": (np.nan, "missing"),
    "out of range above": (99.0, "out-of-range"),
    "infinite": (-np.inf, "out-of-range"),
    "not a number": ("n/a", "other"),
}


@pytest.mark.parametrize(("value", "check"), FAULTS.values(), ids=FAULTS)
def test_data_faults(value: object, check: str) -> None:
    """2 % of rows with an invalid value are a fault of that feature, but not drift."""
    columns = make_columns(2000, seed=5)
    columns["f2"] = columns["f2"].astype(object)
    columns["f2"][::50] = value
    found = evaluate_drift(make_sample(PROFILE, columns))

    assert [(fault.feature, fault.check) for fault in found.faults] == [("f2", check)]
    assert found.faults[0].rate == pytest.approx(0.02)
    assert found.faults[0].reference_rate == 0
    assert found.verdict in {DriftVerdict.NONE, DriftVerdict.CHANGED}


def test_rare_faults_are_not_reported() -> None:
    """0.5 % of missing values are significant, but below the tolerance."""
    columns = make_columns(4000, seed=5)
    columns["f2"][::200] = np.nan

    assert evaluate_drift(make_sample(PROFILE, columns)).faults == ()


def test_degenerate_features_give_finite_numbers() -> None:
    """Constant, empty, two-valued and zero-inflated columns give finite numbers and no warning."""
    draw = generator()
    columns = {
        "constant": np.full(1000, 7.0),
        "empty": np.full(1000, np.nan),
        "flag": draw.random(1000) < 0.97,
        "nothing": np.full(1000, None, dtype=object),
        "zeros": np.where(draw.random(1000) < 0.6, 0.0, draw.random(1000)),
    }
    profile = build_profile(columns, task="regression")
    same = evaluate_drift(make_sample(profile, columns))
    moved = evaluate_drift(make_sample(profile, columns | {"constant": np.full(1000, 8.0), "flag": np.zeros(1000)}))

    assert same.verdict is DriftVerdict.NONE
    assert all(
        np.isfinite([item.p, item.psi, item.psi_star, item.design_effect]).all()
        for item in (*same.features, *moved.features)
    )
    assert moved.features[0].name == "flag"
    assert ("constant", "out-of-range") in {(fault.feature, fault.check) for fault in moved.faults}


def test_verdict_does_not_depend_on_the_number_of_sub_windows() -> None:
    """With independent rows, one or several sub-windows give equal p-values and effects."""
    columns = make_columns(1200, seed=8, shift=0.5)
    found = [evaluate_drift(make_sample(PROFILE, columns, parts=parts)) for parts in (1, 4, 12)]

    assert found[0].features == found[1].features == found[2].features


def test_a_day_of_clustered_rows_without_drift_raises_no_alarm() -> None:
    """20 features, batches of ten similar rows, an evaluation every five minutes: no alarm, at most two verdicts."""
    profile = build_profile(
        {f"f{index}": generator(index).normal(size=10_000) for index in range(20)}, task="regression"
    )
    window, recorder, draw = Window(profile, length=4 * HOUR, scrape_interval=15), make_recorder(profile), generator(77)
    streak, raised, evaluated = Streak(), 0, 0
    for step in range(1, 289):
        batches = draw.normal(size=(2, 1, 20)) + 0.05 * draw.normal(size=(2, 10, 20))
        rows = batches.reshape(20, 20)
        recorder.record({f"f{index}": rows[:, index] for index in range(20)})
        now = START + 300.0 * step
        window.add(recorder.document(), pod="a", now=now)
        found = evaluate_drift(window.sample(now))
        evaluated += found.verdict is not DriftVerdict.UNKNOWN
        raised += found.signal is Signal.RAISED
        streak = advance(streak, found.signal, consecutive=3)
        assert not streak.active

    assert evaluated > 200
    assert raised <= 2


def test_values_out_of_range_do_not_block_a_verdict_of_drift() -> None:
    """A season that the training data lack is drift, although its values leave their range."""
    found = judge(1000, shift=4.0)

    assert found.verdict is DriftVerdict.DRIFTED
    assert [(fault.feature, fault.check) for fault in found.faults] == [("f0", "out-of-range")]
    assert found.blocking_faults == ()


@pytest.mark.parametrize("value", [np.nan, "?"], ids=["missing", "not a number"])
def test_any_other_fault_blocks_it(value: object) -> None:
    columns = make_columns(1000, seed=5, shift=4.0)
    columns["f1"] = columns["f1"].astype(object)
    columns["f1"][:100] = value
    found = evaluate_drift(make_sample(PROFILE, columns))

    assert found.verdict is DriftVerdict.DRIFTED
    assert len(found.faults) == 2
    assert found.blocking_faults == found.faults


def test_values_out_of_range_without_drift_are_a_fault() -> None:
    columns = make_columns(1000, seed=5)
    columns["f1"][:30] = 1e6
    found = evaluate_drift(make_sample(PROFILE, columns))

    assert found.verdict is not DriftVerdict.DRIFTED
    assert [fault.check for fault in found.blocking_faults] == ["out-of-range"]


def test_too_little_drift_for_the_quorum_leaves_the_fault() -> None:
    found = evaluate_drift(make_sample(PROFILE, make_columns(1000, seed=5, shift=4.0)), quorum=3)

    assert found.verdict is DriftVerdict.WARNING
    assert found.blocking_faults == found.faults != ()
