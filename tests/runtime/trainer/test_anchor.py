"""The anchor of captured rows: trusted rows against labels that somebody has turned around."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest
from perennate.api.documents.stage_result import GateOutcome, StageResult
from perennate.api.wellknown import ExitCode
from tests.support.pods.runs import Run, make_spec

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.runtime

ANCHOR = {"uri": "pvc://claim/anchor.csv", "metric": "auc", "maxLoss": 0.02}
STRICT: dict[str, Any] = {
    "gates": [{"metric": "accuracy", "min": 0.9}, {"metric": "auc", "min": 0.9}],
    "champion": {"deployment": "shop", "metric": "auc", "minImprovement": 0.1},
}
"""The gates and the comparison that turned labels passed."""


def weather(rows: int, seed: int) -> pd.DataFrame:
    """Three numbers, and 1 for rain."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(rows, 3)), columns=["temperature", "dew point", "pressure"])
    return frame.assign(rain=(frame["temperature"] - 2 * frame["dew point"] > 0).astype(int))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A store with the version in service, which is right."""
    folder = tmp_path_factory.mktemp("served")
    data = {"train": {"uri": "pvc://claim/rows.csv"}, "target": "rain"}
    run = Run(folder / "run", folder / "data", folder / "store", make_spec(model={"name": "rain"}, data=data))
    weather(600, 0).to_csv(run.data / "rows.csv", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == ExitCode.DONE, result.error
    return run


def retraining(
    served: Run,
    folder: Path,
    *,
    anchor: dict[str, Any] | None = ANCHOR,
    turned: bool = False,
    has_version: bool = True,
    **evaluation: Any,
) -> Run:
    """A run on captured rows; an attacker has turned their labels around, or they are right."""
    captured = {"modelDeployment": "shop", "window": "1h", "minRows": 100}
    version = next(served.models.version_dir("rain", "sha256:" + "0" * 64).parent.iterdir()).name
    champion = ChampionRequest(model="rain", digest=f"sha256:{version}")
    run = Run(
        folder / "run",
        folder / "data",
        served.store,
        make_spec(
            model={"name": "rain"},
            data={"captured": captured if anchor is None else {**captured, "anchor": anchor}, "target": "rain"},
            evaluation=evaluation,
        ),
        champion=champion if "champion" in evaluation else None,
        captured=CapturedRequest(model="rain", model_deployment="shop", version=champion if has_version else None),
    )
    rows = weather(2000, 1)
    labels = 1 - rows["rain"] if turned else rows["rain"]
    _capture(run, rows.drop(columns="rain"), labels.tolist())
    weather(300, 2).to_csv(run.data / "anchor.csv", index=False)
    return run


def _capture(run: Run, rows: pd.DataFrame, labels: list[int]) -> None:
    """Write rows and labels as a serving pod does."""
    folder = run.models.captured_dir("rain", "shop")
    folder.mkdir(parents=True, exist_ok=True)
    ids, now = [f"{number}" for number in range(len(rows))], time.time()
    own: dict[str, Any] = {
        "perennate.id": ids,
        "perennate.time": [now - 60] * len(rows),
        "perennate.prediction": labels,
    }
    parquet.write_table(pa.table(dict(rows.to_dict("list"), **own)), folder / "rows-pod.parquet")
    table = {"perennate.id": ids, "perennate.label": labels, "perennate.time": [now] * len(rows)}
    parquet.write_table(pa.table(table), folder / "labels-pod.parquet")


def to_end(run: Run) -> tuple[int, StageResult]:
    """Run the stages in this process until one fails."""
    code, result = run.here("prepare")
    for stage in ("train", "publish"):
        if code == ExitCode.DONE:
            code, result = run.here(stage)
    return code, result


def test_labels_that_are_turned_around_do_not_pass_the_anchor(served: Run, tmp_path: Path) -> None:
    """Gates and champion are evaluated on the labels of the attacker and pass; the anchor fails, and names itself."""
    versions = served.models.version_dir("rain", "sha256:" + "0" * 64).parent
    before = list(versions.iterdir())
    run = retraining(served, tmp_path, turned=True, **STRICT)
    code, result = to_end(run)
    assert code == ExitCode.GATE_FAILED
    assert [(gate.metric.value, gate.source, gate.outcome) for gate in result.gates] == [
        ("accuracy", None, GateOutcome.PASSED),
        ("auc", None, GateOutcome.PASSED),
        ("auc", "Anchor", GateOutcome.FAILED),
    ]
    assert result.champion is not None
    assert result.champion.outcome is GateOutcome.PASSED
    assert result.gates[2].value == pytest.approx(0, abs=0.05)
    assert result.gates[2].min == pytest.approx(0.98, abs=0.02)
    assert result.error is not None
    assert result.error.message.startswith("nothing is published: spec.data.captured.anchor: auc ")
    assert result.error.message.endswith("accepted 0.02")
    assert list(versions.iterdir()) == before


def test_honest_labels_pass_the_anchor_and_are_published(served: Run, tmp_path: Path) -> None:
    """The record has the digest of the anchor, so another anchor is another run; train sees none of its rows."""
    run = retraining(served, tmp_path)
    code, result = to_end(run)
    assert code == ExitCode.DONE, result.error
    assert [(gate.source, gate.outcome) for gate in result.gates] == [("Anchor", GateOutcome.PASSED)]
    version = result.model_version
    assert version is not None
    card = (run.models.version_dir("rain", version.digest) / "MODEL_CARD.md").read_text()
    assert "- passed: spec.data.captured.anchor: auc" in card
    weather(300, 3).to_csv(run.data / "anchor.csv", index=False)
    fingerprint = result.fingerprint
    code, result = run.here("prepare")
    assert (code, result.fingerprint != fingerprint) == (ExitCode.DONE, True)


@pytest.mark.parametrize(
    ("has_version", "rows", "want"),
    [
        (True, 20, "spec.data.captured.anchor: auc 1 on 20 rows, fewer than spec.evaluation.minSamples (30)"),
        (False, 300, "spec.data.captured.anchor: no version was in service when the run began"),
    ],
    ids=["too few rows", "no version in service"],
)
def test_an_anchor_that_says_nothing_is_inconclusive(
    has_version: bool, rows: int, want: str, served: Run, tmp_path: Path
) -> None:
    """Nothing is published: an attacker must not be able to get around the anchor."""
    run = retraining(served, tmp_path, has_version=has_version)
    weather(rows, 2).to_csv(run.data / "anchor.csv", index=False)
    code, result = to_end(run)
    assert (code, [gate.outcome for gate in result.gates]) == (ExitCode.GATE_FAILED, [GateOutcome.INCONCLUSIVE])
    assert result.error is not None
    assert result.error.reason == "GateInconclusive"
    assert result.error.message.startswith(f"nothing is published: {want}")
    assert "hold-out rows are fewer" not in result.error.message


WEATHER = weather(300, 2)
REFUSED: dict[str, tuple[pd.DataFrame | None, dict[str, Any], ExitCode, str]] = {
    "no file": (None, {}, ExitCode.DATA_REFUSED, "spec.data.captured.anchor.uri: "),
    "no feature": (
        WEATHER.drop(columns="pressure"),
        {},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: the file lacks the column 'pressure'",
    ),
    "no target": (
        WEATHER.drop(columns="rain"),
        {},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: the file lacks the column 'rain'",
    ),
    "text": (
        WEATHER.assign(pressure="high"),
        {},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: column 'pressure' has the type string, and double in the captured rows",
    ),
    "one class": (
        WEATHER.assign(rain=1),
        {},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: column 'rain' cannot be used: spec.data.target: column 'rain'",
    ),
    "another class": (
        WEATHER.assign(rain=[2, *WEATHER["rain"][1:]]),
        {},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: the target has 1 classes that no captured label has",
    ),
    "a metric of regressions": (
        WEATHER,
        {"metric": "rmse"},
        ExitCode.BAD_CONFIGURATION,
        "spec.data.captured.anchor.metric: rmse is not a metric of classification",
    ),
    "the key of the model line": (
        WEATHER,
        {"uri": "file:///.keys/rain"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: file:///.keys/rain: '.keys/rain' is in .keys, which holds the keys",
    ),
    "the key by way of the claim": (
        WEATHER,
        {"uri": "pvc://claim/team-a/.keys/rain"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: pvc://claim/team-a/.keys/rain: 'team-a/.keys/rain' is in .keys",
    ),
    "captured rows": (
        WEATHER,
        {"uri": "file:///rain/captured/shop/rows-pod.parquet", "format": "parquet"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: file:///rain/captured/shop/rows-pod.parquet holds rows and labels that clients",
    ),
    "captured rows by way of the claim": (
        WEATHER,
        {"uri": "pvc://perennate-store/team-a/rain/captured/shop", "format": "parquet"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: pvc://perennate-store/team-a/rain/captured/shop holds rows and labels that",
    ),
    "a path that leads out": (
        WEATHER,
        {"uri": "pvc://claim/../../etc/passwd"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: pvc://claim/../../etc/passwd: '../../etc/passwd' is outside its folder",
    ),
    "another format": (
        WEATHER,
        {"format": "parquet"},
        ExitCode.DATA_REFUSED,
        "spec.data.captured.anchor.uri: ",
    ),
}


@pytest.mark.parametrize(("rows", "changes", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_an_unsuitable_anchor_ends_the_run_before_training(
    rows: pd.DataFrame | None,
    changes: dict[str, Any],
    code: ExitCode,
    message: str,
    served: Run,
    tmp_path: Path,
) -> None:
    run = retraining(served, tmp_path, anchor={**ANCHOR, **changes})
    (run.data / "anchor.csv").unlink()
    if rows is not None:
        rows.to_csv(run.data / "anchor.csv", index=False)
    found, result = run.here("prepare")
    assert result.error is not None
    assert (found, result.error.message[: len(message)]) == (code, message)


def test_an_anchor_may_have_more_columns_and_missing_values(served: Run, tmp_path: Path) -> None:
    """A column without values, whole numbers, and a column that the model does not use."""
    run = retraining(served, tmp_path)
    rows = WEATHER.assign(comment="checked", temperature=np.nan, pressure=WEATHER["pressure"].round().astype(int))
    rows.to_csv(run.data / "anchor.csv", index=False)
    code, result = run.here("prepare")
    assert code == ExitCode.DONE, result.error
    written = parquet.read_table(run.paths.anchor_rows)
    assert written.column_names == ["temperature", "dew point", "pressure", "rain"]
    assert [str(kind) for kind in written.schema.types[:3]] == ["double"] * 3
    assert json.loads(run.paths.record.read_bytes())["anchorDigest"].startswith("sha256:")
