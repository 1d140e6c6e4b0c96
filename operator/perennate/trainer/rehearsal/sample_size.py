"""Whether a fit that failed on a few rows would also fail on all rows.

Some estimators need more rows than a rehearsal has, for folds, components, neighbours, a validation part or a rare
class. Such a run must not be refused. A failure counts if these were all rows, or if its cause is in a column, such as
text. It also counts if the fit fails in the same way on many more rows, and its message speaks neither of the number of
rows nor of numeric trouble. Otherwise the fit on all rows decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perennate.trainer.causes import columns_with, known_cause

if TYPE_CHECKING:
    import pandas as pd

MORE_ROWS: Final = 5_000
"""Rows of the second attempt. A fit that fails mostly does so in the checks before it starts."""

_DEPENDS_ON_ROWS: Final = re.compile(
    r"\b(n_)?samples?\b|\brows?\b|n_splits|_size\b|number of classes|"
    r"\bfolds?\b|\bmembers?\b|populated|validation|\bbatch|\bexamples?\b|"
    r"neighbou?rs|\bsubsamples?\b|\bpoints?\b|\bshape\b|\bonly one class\b|\bconstant\b|\bvariance\b|\brank\b|"
    r"\bfinite\b|\bconverge|flow\b|singular|positive definite|\bepoch|\biteration",
    re.IGNORECASE,
)


def holds_for_all_rows(first: BaseException, second: BaseException, features: pd.DataFrame, *, all_rows: bool) -> bool:
    """Whether a fit on all rows would fail as well.

    Args:
        first: exception of the fit on a few rows.
        second: exception of the fit on more rows.
        features: these rows.
        all_rows: whether these were all rows.
    """
    if all_rows or _is_in_a_column(second, features):
        return True
    same = type(first) is type(second) and str(first) == str(second)
    return same and _DEPENDS_ON_ROWS.search(str(second)) is None


def _is_in_a_column(error: BaseException, features: pd.DataFrame) -> bool:
    """Whether the values of a column explain the failure; all rows have that column too."""
    cause = known_cause(error)
    return cause is not None and cause.has_cause is not None and bool(columns_with(features, cause.has_cause))
