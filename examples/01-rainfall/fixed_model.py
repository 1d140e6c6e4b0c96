"""Score the rows of traffic.csv with one published version, to show how the first model alone would have performed.

Runs in a pod with the trainer image and the store mounted. Prints one JSON list of scores.
Environment: DIGEST, MODEL, NAMESPACE, DATA.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from perennate.artifacts import ModelStore, load_verified

TARGET = "rain"


def main() -> None:
    """Load the version, verify its digests, and print P(rain) for every row."""
    store = ModelStore(Path("/store"), os.environ["NAMESPACE"])
    model = load_verified(store.read(os.environ["MODEL"], os.environ["DIGEST"]))
    rows = pd.read_csv(os.environ["DATA"])
    scores = model.estimator.predict_proba(rows.drop(columns=TARGET))[:, 1]
    print(json.dumps([round(float(score), 6) for score in scores]))


if __name__ == "__main__":
    main()
