"""`run.json`: the record of a training run. Its digest is the fingerprint of the run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennate.api.documents.run_request import ChampionRequest
from perennate.api.meta import Digest, Model
from perennate.api.v1alpha1.training_spec import TrainingJobSpec


class RunRecord(Model):
    """`/perennate/run.json`: everything that decides the result. Its canonical digest is the fingerprint."""

    schema_: Literal["perennate.dev/run/v1"] = Field(default="perennate.dev/run/v1", alias="schema")
    model: str
    task: Literal["classification", "regression"]
    spec: TrainingJobSpec
    target: str
    features: tuple[str, ...]
    train_digest: Digest
    holdout_digest: Digest
    train_rows: int
    holdout_rows: int
    seed: int
    parameters_digest: Digest
    environment_digest: Digest
    champion: ChampionRequest | None = None
