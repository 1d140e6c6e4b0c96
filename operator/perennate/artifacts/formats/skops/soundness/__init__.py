"""Checks of a loaded model: compiled code follows its indices and sizes unchecked, so a crafted file could crash us."""

from __future__ import annotations

from perennate.artifacts.formats.skops.soundness.attributes import check_attributes
from perennate.artifacts.formats.skops.soundness.boosting import check_boosting
from perennate.artifacts.formats.skops.soundness.matrices import check_matrices
from perennate.artifacts.formats.skops.soundness.random_states import check_random_states
from perennate.artifacts.formats.skops.soundness.support_vectors import check_support_vectors
from perennate.artifacts.formats.skops.soundness.trees import check_trees


def check_sound(estimator: object) -> None:
    """Refuse a model that would make compiled code read or write outside of its arrays.

    Raises:
        ArtifactRefusedError: it would.
    """
    check_attributes(estimator)
    check_random_states(estimator)
    check_matrices(estimator)
    check_trees(estimator)
    check_support_vectors(estimator)
    # Last, because it calls parts of the model.
    check_boosting(estimator)
