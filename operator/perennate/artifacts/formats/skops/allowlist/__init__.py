"""The fixed list of types that a skops model may contain.

The list is written by hand, not derived from the installed scikit-learn: a new release of a library adds nothing to
it, and every class that can be trained can be loaded.
"""

from __future__ import annotations

from perennate.artifacts.formats.skops.allowlist.estimators import (
    CLASSIFIERS,
    COMPOSITES,
    REGRESSORS,
    TRANSFORMERS,
    public_name,
)
from perennate.artifacts.formats.skops.allowlist.internals import (
    FUNCTIONS,
    INTERNALS,
    LOSSES,
    PARTIALS,
    SCALARS,
    SPARSE,
    TREE,
    TUPLES,
    TYPES,
)

__all__ = [
    "CLASSIFIERS",
    "COMPOSITES",
    "FUNCTIONS",
    "INTERNALS",
    "LOSSES",
    "PARTIALS",
    "REGRESSORS",
    "SCALARS",
    "SPARSE",
    "TRANSFORMERS",
    "TREE",
    "TUPLES",
    "TYPES",
    "public_name",
]
