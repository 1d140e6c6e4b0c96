"""Commands, environments and requests of both sides, for the same fitted model."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import orjson
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.serving.sides import Request, Side
from perennate.serving.__main__ import PROCESS_DEFAULTS
from tests.support.pods.serving import Published, container_environment, publish, run_fetch
from tests.support.ports import reserve_port

ROOT: Final = Path(__file__).parents[2]
BATCH_ROWS: Final = 1000


def make_sides(folder: Path) -> tuple[Side, Side]:
    """Train a model on a data set of scikit-learn, and prepare both sides to serve it.

    Args:
        folder: an empty folder for models and logs.

    Returns:
        The two sides (ours, theirs).
    """
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    published = publish(folder / "store", estimator, frame, labels.tolist(), model="cells")
    return _ours(published, folder / "ours"), _theirs(published, folder / "theirs")


def _ours(published: Published, folder: Path) -> Side:
    """Return our side: the version is fetched and verified, drift is counted, capture is off."""
    environment = container_environment(published, folder)
    run_fetch(environment).check_returncode()
    batch = _batch(published)
    records = batch.to_dict("records")
    tensor = {"name": "input", "datatype": "FP64", "shape": batch.shape, "data": batch.to_numpy().ravel().tolist()}
    return Side(
        command=(sys.executable, "-m", "perennate.serving", "serve"),
        environment=environment,
        port=int(environment["PERENNATE_TRAFFIC_PORT"]),
        row=Request("/predict", orjson.dumps({"records": records[:1]})),
        batch=Request("/predict", orjson.dumps({"records": records})),
        array=Request(f"/v2/models/{published.model}/infer", orjson.dumps({"inputs": [tensor]})),
        log=folder / "log",
    )


def _theirs(published: Published, folder: Path) -> Side:
    folder.mkdir()
    model = copy.deepcopy(published.estimator)
    # With feature names, the model would emit a costly warning for every array.
    del model[0].feature_names_in_
    joblib.dump(model, folder / "model.joblib")
    port, rows = reserve_port(), _batch(published).to_numpy().tolist()
    batch = Request("/predict", orjson.dumps({"rows": rows}))
    service = ("benchmarks.serving.competitor:Competitor", "--working-dir", str(ROOT))
    return Side(
        command=(sys.executable, "-m", "bentoml", "serve", *service, "--host", "127.0.0.1", "--port", str(port)),
        environment={
            "PATH": os.environ["PATH"],
            "MODEL_FILE": str(folder / "model.joblib"),
            **PROCESS_DEFAULTS,
            **dict.fromkeys(("HOME", "BENTOML_HOME", "TMPDIR"), str(folder)),
        },
        port=port,
        row=Request("/predict", orjson.dumps({"rows": rows[:1]})),
        batch=batch,
        array=batch,
        log=folder / "log",
    )


def _batch(published: Published) -> Any:
    """Return `BATCH_ROWS` rows, repeating the hold-out rows."""
    return published.rows.iloc[np.arange(BATCH_ROWS) % len(published.rows)]
