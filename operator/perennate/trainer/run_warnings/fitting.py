"""Warnings of scikit-learn while it fits a model."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from perennate.api.documents.stage_result import RunWarning, WarningReason
from perennate.trainer.run_warnings.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = re.compile(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", re.IGNORECASE)
_SENTENCE: Final = 120


@contextmanager
def convergence_warnings(estimator: str) -> Iterator[list[RunWarning]]:
    """Collect warnings that the solver did not converge; all warnings still reach the log.

    Args:
        estimator: class of the estimator, for the message.

    Yields:
        a list that holds at most one warning after the block.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a slow import

    found: list[RunWarning] = []
    texts: list[str] = []
    show = warnings.showwarning

    def record(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, ConvergenceWarning):
            texts.append(str(message))
        show(message, category, *place, **options)

    with warnings.catch_warnings():
        # Each warning counts, also one that was shown before at the same place.
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = record
        yield found
    if texts:
        found.append(_described(estimator, texts))


def _described(estimator: str, texts: list[str]) -> RunWarning:
    # Numbers in these messages can come from the data, such as a tolerance that is scaled by the target.
    first = _NUMBER.sub("...", " ".join(texts[0].split()).partition(". ")[0])[:_SENTENCE]
    times = "" if len(texts) == 1 else f" ({len(texts)} times)"
    return described(
        WarningReason.NOT_CONVERGED,
        f"{estimator} did not converge{times}: {first!r}; raise max_iter in spec.trainer.estimator.params, or scale "
        "the features first",
    )
