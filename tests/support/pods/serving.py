"""Real model versions and a real serving process for tests.

Models are trained on generated data and published with `artifacts.ModelStore`, as a training pod does.
"""

from __future__ import annotations

import contextlib
import http.client
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.documents.model_manifest import PROFILE_FILE, FeatureSchema, ModelManifest, file_entries
from perennate.api.documents.serving_config import CaptureConfig, ServingConfig
from perennate.artifacts import ModelStore
from perennate.artifacts.formats.skops.saving import save_estimator
from perennate.drift import Profile, build_profile, class_text
from tests.support.ports import reserve_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NAMESPACE = "weather"
DEADLINE_SECONDS = 180.0
"""Time limit in seconds for every step of a process. Only a broken process reaches it."""

POLL_SECONDS = 0.05

JsonType = Literal["number", "string", "boolean"]


@dataclass(frozen=True, eq=False)
class Published:
    """A version in a store.

    Args:
        store: the store.
        model: model line.
        digest: digest of the version.
        manifest: of the version.
        profile: of the version.
        estimator: the published estimator, for comparison.
        rows: hold-out rows.
        labels: true values of the hold-out rows.
    """

    store: ModelStore
    model: str
    digest: str
    manifest: ModelManifest
    profile: Profile
    estimator: Any
    rows: pd.DataFrame
    labels: list[Any]

    def records(self, count: int) -> list[dict[str, Any]]:
        """The first hold-out rows as JSON values."""
        return [
            {
                str(name): None if isinstance(value, float) and math.isnan(value) else value
                for name, value in record.items()
            }
            for record in self.rows.iloc[:count].to_dict("records")
        ]

    def config(self, capture: CaptureConfig | None = None) -> ServingConfig:
        """The configuration of a pod that serves this version."""
        return ServingConfig(
            namespace=self.store.namespace,
            model_deployment=f"{self.model}-service",
            model=self.model,
            digest=self.digest,
            capture=capture,
        )


def publish(
    root: Path,
    estimator: Any,
    frame: pd.DataFrame,
    labels: Sequence[Any],
    *,
    model: str,
    task: Literal["classification", "regression"] = "classification",
) -> Published:
    """Fit the estimator on three quarters of the rows and publish it with profile and manifest."""
    split = len(frame) * 3 // 4
    train, holdout = frame.iloc[:split], frame.iloc[split:]
    estimator.fit(train, labels[:split])
    classes = getattr(estimator, "classes_", np.array([])).tolist()
    profile = build_profile(
        {str(name): train[name].to_numpy() for name in train},
        task=task,
        score=_score(estimator, holdout, task),
        labels=list(labels[split:]) if task == "regression" or hasattr(estimator, "predict_proba") else None,
        classes=classes,
    )
    files = {
        "model.skops": save_estimator(estimator),
        PROFILE_FILE: profile.to_bytes(),
        "MODEL_CARD.md": b"# A model\n",
    }
    manifest = ModelManifest(
        model=model,
        task=task,
        estimator=type(estimator).__name__,
        features=tuple(FeatureSchema(name=str(name), type=_json_type(frame[name])) for name in frame),
        target="target",
        classes=tuple(class_text(value) for value in classes),
        class_type=_class_type(classes),
        files=file_entries(files),
        profile_digest=profile.digest,
        fingerprint=digest_bytes(b"run"),
        environment={"scikit-learn": __import__("sklearn").__version__},
    )
    store = ModelStore(root, NAMESPACE)
    root.mkdir(parents=True, exist_ok=True)
    digest = store.publish(manifest, files)
    return Published(store, model, digest, manifest, profile, estimator, holdout, list(labels[split:]))


def weather_frame(rows: int = 1200, *, seed: int = 0) -> tuple[pd.DataFrame, list[int]]:
    """Three numeric columns, and 1 for rain."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["TEMP", "DEW POINT", "pressure"])
    rain = frame["TEMP"] - 2 * frame["DEW POINT"] + rng.normal(size=rows) > 0
    return frame, [int(value) for value in rain]


def publish_rain(root: Path) -> Published:
    """Binary classifier on numbers without missing values: scaler and logistic regression."""
    frame, labels = weather_frame()
    return publish(root, make_pipeline(StandardScaler(), LogisticRegression()), frame, labels, model="rain")


def publish_gaps(root: Path) -> Published:
    """Like `publish_rain`, but TEMP has missing values in training, and an imputer fills them."""
    frame, labels = weather_frame(seed=1)
    frame.loc[frame.index % 10 == 0, "TEMP"] = np.nan
    return publish(
        root, make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), frame, labels, model="gaps"
    )


def publish_clothes(root: Path) -> Published:
    """Three text classes from a number, a category and a boolean, by column name, so it needs a DataFrame."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "TEMP": rng.normal(size=900),
            "sky": rng.choice(["clear", "cloudy", "fog"], size=900),
            "weekend": rng.random(900) < 2 / 7,
        }
    )
    labels = [
        "coat" if t < -0.5 else "hat" if s == "clear" else "shirt"
        for t, s in zip(frame["TEMP"], frame["sky"], strict=True)
    ]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sky"]), (SimpleImputer(), ["TEMP", "weekend"])
    )
    return publish(root, make_pipeline(columns, LogisticRegression()), frame, labels, model="clothes")


def publish_height(root: Path) -> Published:
    """Regression on two numbers."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(600, 2)), columns=["a", "b"])
    labels = (3 * frame["a"] - frame["b"] + rng.normal(scale=0.1, size=600)).tolist()
    return publish(root, LinearRegression(), frame, labels, model="height", task="regression")


def publish_ridge(root: Path) -> Published:
    """A binary classifier without probabilities, so there is no score."""
    frame, labels = weather_frame(seed=5)
    return publish(root, make_pipeline(StandardScaler(), RidgeClassifier()), frame, labels, model="ridge")


def publish_forest(root: Path, *, trees: int = 60) -> Published:
    """A random forest: slow enough for a single row to be predicted in a thread."""
    frame, labels = weather_frame(seed=4)
    forest = RandomForestClassifier(n_estimators=trees, min_samples_leaf=5, random_state=0)
    return publish(root, forest, frame, labels, model="forest")


@dataclass
class ServingProcess:
    """One `python -m perennate.serving serve`, as the container runs it.

    Args:
        process: the process.
        url: of the traffic port.
        operations: URL of the operations port.
        termination_log: file with the error message of a failed process.
        output: file with its standard output and error.
    """

    process: subprocess.Popen[bytes]
    url: str
    operations: str
    termination_log: Path
    output: Path
    started: float = field(default_factory=time.monotonic)

    def wait_ready(self) -> float:
        """Wait until the pod is ready; return the number of seconds since its start."""
        self.wait_until(self.is_ready)
        return time.monotonic() - self.started

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for the condition; fail if the process exits first, or at the deadline."""
        while not condition():
            if self.ended_within(POLL_SECONDS):
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() - self.started > DEADLINE_SECONDS:
                raise AssertionError(f"the deadline has passed:\n{self.log()}")

    def ended_within(self, seconds: float) -> bool:
        """Whether the process exits within this time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def is_ready(self) -> bool:
        """Whether the readiness probe succeeds."""
        return self.probe("/readyz") == HTTPStatus.OK

    def probe(self, path: str, timeout: float = 5.0) -> int | None:
        """The HTTP status of a path of the operations port; None if there is no response."""
        connection = http.client.HTTPConnection(urlsplit(self.operations).netloc, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def log(self) -> str:
        """Its output so far."""
        return self.output.read_text()

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)


def container_environment(
    published: Published, folder: Path, *, capture: CaptureConfig | None = None, **overrides: str
) -> dict[str, str]:
    """The environment of both containers of a pod, with local folders and ports."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    own = {
        "PERENNATE_SERVING": canonical_json(published.config(capture).to_document()).decode(),
        "PERENNATE_STORE_DIR": str(published.store.root),
        "PERENNATE_MODEL_DIR": str(folder / "models"),
        "PERENNATE_KEY_DIR": str(folder / "keys"),
        "PERENNATE_FEEDBACK_DIR": str(folder / "feedback"),
        "PERENNATE_CAPTURE_DIR": str(published.store.captured_dir(published.model, f"{published.model}-service")),
        "PERENNATE_TERMINATION_LOG": str(folder / "termination-log"),
        "PERENNATE_HOST": "127.0.0.1",
        "PERENNATE_TRAFFIC_PORT": str(reserve_port()),
        "PERENNATE_OPERATIONS_PORT": str(reserve_port()),
        "POD_NAME": "pod-1",
        **dict.fromkeys(("HOME", "BENTOML_HOME", "TMPDIR"), str(scratch)),
    }
    return {"PATH": os.environ["PATH"], **own, **overrides}


def run_fetch(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the init container until it exits."""
    command = [sys.executable, "-m", "perennate.serving", "fetch"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


@contextlib.contextmanager
def serving(
    environment: dict[str, str], *, preexec: Callable[[], None] | None = None, output: Path | None = None
) -> Iterator[ServingProcess]:
    """Run the main container; it is killed at the end of the block if it still runs.

    Args:
        environment: of the container.
        preexec: called in the new process before it starts.
        output: file for its output; by default beside the termination log.
    """
    log = Path(environment["PERENNATE_TERMINATION_LOG"])
    output = output or log.parent / f"serve-{environment['PERENNATE_TRAFFIC_PORT']}.log"
    command = [sys.executable, "-P", "-s", "-m", "perennate.serving", "serve"]
    # Tests use preexec for resource limits; they start threads only later.
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT, preexec_fn=preexec)  # noqa: PLW1509
    host = f"http://{environment['PERENNATE_HOST']}"
    try:
        yield ServingProcess(
            process,
            url=f"{host}:{environment['PERENNATE_TRAFFIC_PORT']}",
            operations=f"{host}:{environment['PERENNATE_OPERATIONS_PORT']}",
            termination_log=log,
            output=output,
        )
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _score(estimator: Any, holdout: pd.DataFrame, task: str) -> Any:
    if task == "regression":
        return estimator.predict(holdout)
    if not hasattr(estimator, "predict_proba"):
        return None
    probabilities = estimator.predict_proba(holdout)
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities.max(axis=1)


def _json_type(column: Any) -> JsonType:
    if column.dtype == bool:
        return "boolean"
    return "string" if column.dtype == object else "number"


def _class_type(classes: list[Any]) -> JsonType:
    return "string" if not classes or isinstance(classes[0], str) else "number"
