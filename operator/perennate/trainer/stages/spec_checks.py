"""What the spec alone shows to be wrong: checked before any row is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.trainer.data.names import problem_of_names
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import RunSpec


def check_spec(spec: RunSpec) -> None:
    """Check classes, parameters, metrics and names of features.

    Raises:
        BadConfigurationError: one of them is wrong; the message names the field.
    """
    problem = problem_of_names(spec.data.features)
    if problem is not None:
        raise BadConfigurationError(f"spec.data.features: {problem}")
    if spec.trainer.estimator is None:
        return
    # Slow imports: a user's container has its own estimator.
    from perennate.trainer.model.estimator import build_estimator  # noqa: PLC0415
    from perennate.trainer.model.parameters import check_evaluation  # noqa: PLC0415

    estimator = build_estimator(spec.trainer.estimator, seed=spec.seed)
    check_evaluation(spec.evaluation, spec.trainer.estimator.class_, estimator)
