"""Measure the overhead of counting in a request to a scikit-learn model: decode JSON, predict, encode JSON."""

from __future__ import annotations

from typing import Final

import numpy as np
import orjson
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.drift.bounds import Bound, Finding
from benchmarks.drift.timing import in_turns
from perennate.drift import Recorder, build_profile

REQUESTS: Final = ((1, 200, 1.05), (1000, 60, 1.15))
"""Rows of a request, requests of a round, and bound of the time with counting / without."""


def compare(rounds: int) -> list[Finding]:
    """Measure requests of one row and of many rows, with and without counting, in turns."""
    values, labels = load_breast_cancer(return_X_y=True)
    names = [f"f{index}" for index in range(values.shape[1])]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(values, labels)
    profile = build_profile(
        {name: values[:, index] for index, name in enumerate(names)},
        task="classification",
        score=model.predict_proba(values)[:, 1],
        labels=labels,
        classes=[0, 1],
    )
    recorder = Recorder(profile, model="benchmark", version="sha256:0", start=0.0)

    def answer(body: bytes, *, counted: bool) -> bytes:
        rows = np.array(orjson.loads(body)["rows"])
        scores = model.predict_proba(rows)
        if counted:
            recorder.record(rows, names)
            recorder.record_scores(scores[:, 1])
        return orjson.dumps(scores, option=orjson.OPT_SERIALIZE_NUMPY)

    findings = []
    for rows, repeats, bound in REQUESTS:
        body = orjson.dumps({"rows": values[np.arange(rows) % len(values)].tolist()})
        without, counted, ratio = in_turns(
            lambda body=body: answer(body, counted=False),  # type: ignore[misc]
            lambda body=body: answer(body, counted=True),  # type: ignore[misc]
            repeats=repeats,
            rounds=rounds,
        )
        title = f"request of {rows:,} {'row' if rows == 1 else 'rows'} x {len(names)} with counting, against without"
        findings.append(Finding(title, "us", counted * 1e6, without * 1e6, ratio, Bound(bound, at_least=False)))
    return findings
