"""`run.json`: the record of a training run. Its digest is the fingerprint of the run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennate.api.documents.document import Document
from perennate.api.documents.run_request import ChampionRequest
from perennate.api.documents.run_spec import RecordedSpec
from perennate.api.meta import Digest


class RunRecord(Document):
    """`/perennate/record/run.json`: everything that decides the result of a run, and nothing else."""

    schema_: Literal["perennate.dev/run/v1"] = Field(default="perennate.dev/run/v1", alias="schema")
    model: str
    task: Literal["classification", "regression"]
    spec: RecordedSpec
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
    served: ChampionRequest | None = None
    """The version whose pods captured the rows."""
    anchor_digest: Digest | None = None
    """Digest of the file with the rows of the anchor, if there is one."""
