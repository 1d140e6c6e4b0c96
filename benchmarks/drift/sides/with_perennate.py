"""perennate: a profile of the reference rows, counts of the current rows, and a verdict."""

from __future__ import annotations

import pandas as pd

from benchmarks.drift.sides.side import run
from perennate.cli.drift.reference import workers
from perennate.drift import DriftVerdict, Recorder, Window, build_profile, evaluate_drift


def check(reference: pd.DataFrame, current: pd.DataFrame) -> set[str]:
    """Evaluate with the defaults, and as many threads as the command uses."""
    cores = workers()
    columns = {name: reference[name].to_numpy() for name in reference}
    profile = build_profile(columns, task="regression", workers=cores)
    recorder = Recorder(profile, model="benchmark", version="sha256:0", start=0.0)
    recorder.record({name: current[name].to_numpy() for name in current}, workers=cores)
    window = Window(profile, length=60.0, scrape_interval=60.0)
    window.add(recorder.document(), pod="pod", now=30.0)
    return {item.name for item in evaluate_drift(window.sample(60.0)).features if item.verdict is DriftVerdict.DRIFTED}


if __name__ == "__main__":
    run(check)
