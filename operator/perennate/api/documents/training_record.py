"""`run.json` in the folder of prepared rows: what the train stage, or a user's container, may know of its run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennate.api.documents.document import Document
from perennate.api.documents.run_spec import RunSpec
from perennate.api.meta import Digest


class TrainingRecord(Document):
    """`/perennate/prepared/run.json`. It holds no digest, number or value of the hold-out rows."""

    schema_: Literal["perennate.dev/training/v1"] = Field(default="perennate.dev/training/v1", alias="schema")
    model: str = Field(description="Model line.")
    task: Literal["classification", "regression"]
    spec: RunSpec
    target: str = Field(description="Column of the label.")
    features: tuple[str, ...] = Field(description="Columns that the model must accept, in this order.")
    train_digest: Digest = Field(description="Digest of `train.parquet`.")
    train_rows: int = Field(description="Number of rows in `train.parquet`.")
    seed: int
