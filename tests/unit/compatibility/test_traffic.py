"""Documents that serving pods of release 0.1.0 read and wrote, and windows that the operator saved."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from perennate.api.documents.captured_rows import written_at
from perennate.api.documents.run_spec import CapturedData
from perennate.api.documents.serving_config import CaptureConfig, ServingConfig
from perennate.drift import Profile, Window, validate_counts
from perennate.serving.capture.identifiers import parse_id
from perennate.trainer.data.captured import read_captured
from tests.support.first_release import FOLDER, content, document

ROWS, LABELS = 60, 30
every_model = pytest.mark.parametrize("name", ["classification", "regression"])


def profile_of(name: str) -> Profile:
    """The profile of a model of release 0.1.0."""
    return Profile.from_bytes(content(f"{name}/version/profile.json"))


def test_the_configuration_of_a_serving_pod() -> None:
    assert ServingConfig.read(content("classification/serving.json")) == ServingConfig(
        namespace="team-a",
        model_deployment="delays-service",
        model="delays",
        digest="sha256:ab8639100df427ba61eb465673a240ba6cf1ca453c12609e6bf8855d568ac200",
        capture=CaptureConfig(sampling_ratio=1.0, flush_seconds=1.0, retention_seconds=3_153_600_000.0),
    )


@every_model
def test_a_counts_document_is_read(name: str) -> None:
    """All bins and categories of each feature keep their counts."""
    found, profile = document(f"{name}/counts.json"), profile_of(name)
    counts = validate_counts(found, profile)
    assert (counts.profile_digest, counts.start) == (profile.digest, found["start"])
    assert (counts.rows, counts.errors) == (ROWS, 0)
    window = Window(profile, length=3600.0, scrape_interval=15.0)
    assert window.add(found, pod="a", now=found["start"] + 5)
    sample = window.sample(found["start"] + 5)
    assert (sample.rows, sample.labelled_rows) == (ROWS, LABELS)
    assert int(sample.label_delays().sum()) == LABELS
    for feature, start, end in zip(found["counts"], window.layout.starts[:-1], window.layout.starts[1:], strict=True):
        cells = counts.cells[start:end].tolist()
        assert sum(cells) == ROWS
        assert ",".join(map(str, feature)) in ",".join(map(str, cells))


@every_model
def test_a_window_is_continued(name: str) -> None:
    """A window of 0.1.0 continues: new counts of its pods are added, and nothing is counted twice."""
    content = document(f"{name}/window-config-map.json")["binaryData"]["window.json.gz"]
    now = document(f"{name}/window-time.json")["now"]
    window = Window.from_bytes(
        base64.b64decode(content), profile_of(name), length=3600.0, scrape_interval=15.0, now=now + 1
    )
    sample = window.sample(now + 1)
    assert (sample.rows, sample.labelled_rows) == (ROWS, LABELS)
    assert window.add(document(f"{name}/counts.json"), pod="pod-1-uid", now=now + 2)
    assert window.sample(now + 2).rows == ROWS


@pytest.mark.parametrize(
    ("name", "kind", "answers"),
    [
        ("classification", "scores", [13, 11, 11]),
        ("regression", "residuals", [1.740026691926638, 1.0819175, 19.2028372]),
    ],
)
def test_prediction_ids_are_parsed(name: str, kind: str, answers: list[float]) -> None:
    """A label that arrives after an upgrade is assigned to its prediction."""
    ids = [parse_id(text) for text in document(f"{name}/prediction-ids.json")]
    assert [found.kind for found in ids] == [kind] * 3
    assert [found.answer for found in ids] == pytest.approx(answers, rel=1e-6)
    digest: str = json.loads(content(f"{name}/serving.json"))["digest"]
    assert {found.version for found in ids} == {digest.removeprefix("sha256:")[:12]}
    assert written_at(next((FOLDER / name / "captured").glob("rows-*")).name) == pytest.approx(
        ids[0].time_ms / 1000, abs=5
    )


@pytest.mark.parametrize(
    ("name", "target", "labels"),
    [("classification", "late", ["on time", "late", "late"]), ("regression", "minutes", ["5.004", "33.312", "24.561"])],
)
def test_captured_rows_are_read(name: str, target: str, labels: list[Any]) -> None:
    """Captured files of 0.1.0 have no format version and are read."""
    spec = CapturedData(model_deployment="delays-service", min_rows=20)
    found = read_captured(FOLDER / name / "captured", spec, since=0.0, target=target, features=())
    assert (found.rows, found.table.num_rows, found.skipped_files) == (ROWS, LABELS, 0)
    assert found.table.column_names == ["hours", "city", "holiday", "perennate.id", "perennate.time", target]
    assert [str(kind) for kind in found.table.schema.types[:3]] == ["double", "string", "bool"]
    ids, first = document(f"{name}/prediction-ids.json"), found.table.slice(0, LABELS).to_pylist()
    by_id = {row["perennate.id"]: row for row in first}
    assert [by_id[text][target] for text in ids] == labels
    assert by_id[ids[0]]["hours"] is None
