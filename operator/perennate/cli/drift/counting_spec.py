"""What is done with every file that is compared with the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.model import Model
from perennate.cli.drift.reference import PREDICTED
from perennate.drift import Profile
from perennate.tabular.errors import UsageError


@dataclass(frozen=True)
class CountingSpec:
    """What is done with every file.

    Args:
        profile: what is counted against.
        reference: where it comes from, for messages.
        model: how predictions are read; None if they are not.
        target, prediction: columns with the truth and with what the model said.
        ignored: columns that are left out of the reference too.
        kinds: what the user says that columns are, whatever they look like.
        workers: threads to count in.
    """

    profile: Profile
    reference: str
    model: Model | None = None
    target: str | None = None
    prediction: str | None = None
    ignored: frozenset[str] = frozenset()
    kinds: Mapping[str, FeatureKind] = field(default_factory=dict)
    workers: int = 1

    @property
    def texts(self) -> frozenset[str]:
        """Columns of a csv file that are read as text, since they are categories."""
        return frozenset(
            item.name for item in self.profile.features if item.kind == "categorical" and item.name != PREDICTED
        )

    def column(self, feature: str) -> str:
        """The column that a feature is read from.

        Raises:
            UsageError: it is the predicted class, and no column is named for it.
        """
        if feature != PREDICTED:
            return feature
        if self.prediction is None:
            raise UsageError(f"{self.reference} was built with predictions: name their column with --prediction")
        return self.prediction

    @property
    def scored(self) -> bool:
        """Whether predictions are counted as the score."""
        return self.prediction is not None and self.model is not None and self.model.form != "class"
