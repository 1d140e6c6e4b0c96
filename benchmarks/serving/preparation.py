"""Commands, environments and requests of all sides, for the same fitted model."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import orjson
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.serving.bounds import BENTOML, MLSERVER, OURS
from benchmarks.serving.sides import MLSERVER_ENVIRONMENT, Request, Side
from perennate.serving.__main__ import PROCESS_DEFAULTS
from tests.support.pods.serving import Published, container_environment, publish, run_fetch
from tests.support.ports import reserve_port

ROOT: Final = Path(__file__).parents[2]
BATCH_ROWS: Final = 1000
MLSERVER_START: Final = "from mlserver.cli import main; main()"


def make_sides(folder: Path, peers: Collection[str]) -> tuple[Side, ...]:
    """Train a model on a data set of scikit-learn, and prepare all sides to serve it.

    Args:
        folder: an empty folder for models and logs.
        peers: names of the other sides.

    Returns:
        The sides, ours first.
    """
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    published = publish(folder / "store", estimator, frame, labels.tolist(), model="cells")
    model = _without_names(published, folder / "model.joblib")
    others = [make(published, model) for name, make in _OTHERS.items() if name in peers]
    return _ours(published, folder / "ours"), *others


def _without_names(published: Published, path: Path) -> Path:
    """The model in a file. With feature names, it would emit a costly warning for every array."""
    model = copy.deepcopy(published.estimator)
    del model[0].feature_names_in_
    joblib.dump(model, path)
    return path


def _ours(published: Published, folder: Path) -> Side:
    """Our side: the version is fetched and verified, drift is counted, capture is off."""
    environment = container_environment(published, folder)
    run_fetch(environment).check_returncode()
    rows = _batch(published)
    records = rows.to_dict("records")
    path, outputs = f"/v2/models/{published.model}/infer", [{"name": "probabilities"}]
    return Side(
        name=OURS,
        command=(sys.executable, "-m", "perennate.serving", "serve"),
        environment=environment,
        port=int(environment["PERENNATE_TRAFFIC_PORT"]),
        requests={
            "row": Request("/predict", orjson.dumps({"records": records[:1]})),
            "row as tensor": Request(path, _tensor_body(rows[:1], {"outputs": outputs})),
            "rows": Request("/predict", orjson.dumps({"records": records})),
            "rows as tensor": Request(path, _tensor_body(rows, {"outputs": outputs})),
            "rows as binary tensor": _binary_request(path, rows),
        },
        log=folder / "log",
    )


def _bentoml(published: Published, model: Path) -> Side:
    port, rows = reserve_port(), _batch(published).to_numpy().tolist()
    service = ("benchmarks.serving.competitor:Competitor", "--working-dir", str(ROOT))
    folder = model.parent / "bentoml"
    folder.mkdir()
    return Side(
        name=BENTOML,
        command=(sys.executable, "-m", "bentoml", "serve", *service, "--host", "127.0.0.1", "--port", str(port)),
        environment=_environment(folder, MODEL_FILE=str(model)),
        port=port,
        requests={
            "row": Request("/predict", orjson.dumps({"rows": rows[:1]})),
            "rows": Request("/predict", orjson.dumps({"rows": rows})),
        },
        log=folder / "log",
    )


def _mlserver(published: Published, model: Path) -> Side:
    """MLServer without worker processes, which would take more CPU time: they receive rows over a queue."""
    folder, port, rows = model.parent / "mlserver", reserve_port(), _batch(published)
    folder.mkdir()
    ports = {"http_port": port, "grpc_port": reserve_port(), "metrics_port": reserve_port()}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
    implementation = "mlserver_sklearn.SKLearnModel"
    served = {"name": published.model, "implementation": implementation, "parameters": {"uri": str(model)}}
    (folder / "settings.json").write_bytes(orjson.dumps(settings))
    (folder / "model-settings.json").write_bytes(orjson.dumps(served))
    path, outputs = f"/v2/models/{published.model}/infer", [{"name": "predict_proba"}]
    return Side(
        name=MLSERVER,
        command=(str(MLSERVER_ENVIRONMENT.python()), "-c", MLSERVER_START, "start", str(folder)),
        environment=_environment(folder),
        port=port,
        requests={
            "row as tensor": Request(path, _tensor_body(rows[:1], {"outputs": outputs})),
            "rows as tensor": Request(path, _tensor_body(rows, {"outputs": outputs})),
        },
        log=folder / "log",
    )


_OTHERS: Final = {BENTOML: _bentoml, MLSERVER: _mlserver}


def _environment(folder: Path, **own: str) -> dict[str, str]:
    """The environment of another side, with our settings for the number of threads."""
    homes = dict.fromkeys(("HOME", "BENTOML_HOME", "TMPDIR"), str(folder))
    return {"PATH": os.environ["PATH"], **PROCESS_DEFAULTS, **homes, **own}


def _tensor(rows: Any) -> dict[str, Any]:
    return {"name": "input", "datatype": "FP64", "shape": rows.shape}


def _tensor_body(rows: Any, fields: dict[str, Any]) -> bytes:
    """A request of the Open Inference Protocol with one JSON tensor."""
    return orjson.dumps({"inputs": [{**_tensor(rows), "data": rows.to_numpy().ravel().tolist()}], **fields})


def _binary_request(path: str, rows: Any) -> Request:
    """The request that clients of the binary extension send by default, with binary outputs."""
    data = rows.to_numpy().astype("<f8").tobytes()
    tensor = {**_tensor(rows), "parameters": {"binary_data_size": len(data)}}
    document = orjson.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    headers = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(document)),
    }
    return Request(path, document + data, headers)


def _batch(published: Published) -> Any:
    """Return `BATCH_ROWS` rows, repeating the hold-out rows."""
    return published.rows.iloc[np.arange(BATCH_ROWS) % len(published.rows)]
