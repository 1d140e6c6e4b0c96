"""Paths of the files that the stages read and write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.wellknown import DATA_DIR, RUN_DIR, STORE_DIR, TERMINATION_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping

ENV_RUN_DIR: Final = "PERENNATE_RUN_DIR"
ENV_STORE_DIR: Final = "PERENNATE_STORE_DIR"
ENV_DATA_DIR: Final = "PERENNATE_DATA_DIR"
ENV_TERMINATION_LOG: Final = "PERENNATE_TERMINATION_LOG"


@dataclass(frozen=True)
class RunPaths:
    """Folders and files of a run. Pods use the defaults; outside a pod, environment variables override them."""

    run: Path
    store: Path
    data: Path
    termination_log: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> RunPaths:
        """The paths from environment variables. Default: the mount paths of pods."""
        return cls(
            run=Path(environment.get(ENV_RUN_DIR, RUN_DIR)),
            store=Path(environment.get(ENV_STORE_DIR, STORE_DIR)),
            data=Path(environment.get(ENV_DATA_DIR, DATA_DIR)),
            termination_log=Path(environment.get(ENV_TERMINATION_LOG, TERMINATION_LOG)),
        )

    @property
    def prepared(self) -> Path:
        """Folder that the prepare stage writes, and the other stages read."""
        return self.run / "prepared"

    @property
    def training_record(self) -> Path:
        """Description of the training rows."""
        return self.prepared / "run.json"

    @property
    def train_rows(self) -> Path:
        """Training rows."""
        return self.prepared / "train.parquet"

    @property
    def unseen(self) -> Path:
        """Values that only hold-out rows have, for the rehearsal."""
        return self.prepared / "unseen.json"

    @property
    def records(self) -> Path:
        """Folder that the prepare stage writes and the publish stage reads; the train stage has no access."""
        return self.run / "record"

    @property
    def record(self) -> Path:
        """The record of the run."""
        return self.records / "run.json"

    @property
    def holdout_rows(self) -> Path:
        """Hold-out rows."""
        return self.records / "holdout.parquet"

    @property
    def anchor_rows(self) -> Path:
        """Rows of the anchor of captured rows."""
        return self.records / "anchor.parquet"

    @property
    def data_warnings(self) -> Path:
        """Warnings of the prepare stage, for the model card."""
        return self.records / "warnings.json"

    @property
    def output(self) -> Path:
        """Folder of the fitted model, which the train stage writes and the publish stage reads."""
        return self.run / "out"

    @property
    def training_warnings(self) -> Path:
        """Warnings of the train stage, for the model card."""
        return self.output / "warnings.json"
