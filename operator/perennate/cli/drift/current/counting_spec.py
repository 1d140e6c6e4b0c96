"""How the current files are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.outputs.model import PREDICTED, Model
from perennate.drift import Profile
from perennate.tabular.errors import UsageError


@dataclass(frozen=True)
class CountingSpec:
    """How every current file is counted.

    Args:
        profile: the reference profile.
        reference: name of the reference, for messages.
        model: how predictions are read; None without predictions.
        target, prediction: columns with true labels and predictions.
        ignored: columns that are excluded from the reference too.
        kinds: kinds of columns that the user sets.
        workers: number of threads.
        time: column with the time of the rows, which is not compared.
    """

    profile: Profile
    reference: str
    model: Model | None = None
    target: str | None = None
    prediction: str | None = None
    ignored: frozenset[str] = frozenset()
    kinds: Mapping[str, FeatureKind] = field(default_factory=dict)
    workers: int = 1
    time: str | None = None

    @property
    def texts(self) -> frozenset[str]:
        """Columns of a csv file that are read as text: the categories."""
        return frozenset(
            item.name for item in self.profile.features if item.kind == "categorical" and item.name != PREDICTED
        )

    def column(self, feature: str) -> str:
        """The column that a feature is read from.

        Raises:
            UsageError: it is the predicted class, and the user named no column for it.
        """
        if feature != PREDICTED:
            return feature
        if self.prediction is None:
            raise UsageError(f"{self.reference} was built with predictions: give their column with --prediction")
        return self.prediction

    @property
    def scored(self) -> bool:
        """Whether predictions are counted as the score."""
        return self.prediction is not None and self.model is not None and self.model.form != "class"
