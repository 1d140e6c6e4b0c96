"""Checks of the names of features."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from perennate.tabular.reading import MAX_COLUMNS
from perennate.text import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

RESERVED: Final = ("score", "prediction")
"""Names of the outputs of a model in profiles and drift reports."""


def problem_of_names(names: Sequence[str]) -> str | None:
    """What is wrong with the names of the features, and what to do; None if nothing is."""
    if len(names) > MAX_COLUMNS:
        return f"there are {len(names)} features, and a model has at most {MAX_COLUMNS}; leave out columns"
    if not all(name.strip() for name in names):
        return "a feature has no name; give the column a name, or leave it out"
    taken = [name for name in names if name in RESERVED]
    if taken:
        return (
            f"a feature must not have the name {taken[0]!r}, which results use for the {taken[0]} of the model; rename "
            "the column, or leave it out"
        )
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    return f"the name {shortened(name)!r} occurs {count} times; remove it once" if count > 1 else None
