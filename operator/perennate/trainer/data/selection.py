"""Which columns of the data are the target and the features of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.documents.captured_rows import OWN_PREFIX
from perennate.suggestions import Names, did_you_mean
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.api.documents.run_spec import Data

_INDEX_LEVEL: Final = re.compile(r"__index_level_\d+__")
_UNNAMED: Final = re.compile(r"unnamed: 0(\.\d+)*", re.IGNORECASE)
"""pandas reads a column without a name as `Unnamed: 0`, and after another round trip as `Unnamed: 0.1`."""
_SHOWN: Final = 12


@dataclass(frozen=True)
class Columns:
    """The target and the features of a run."""

    target: str
    features: tuple[str, ...]
    index: tuple[str, ...] = ()
    """Index columns that are not features because the spec does not name them; `""` is a column without a name."""


@dataclass(frozen=True)
class Available:
    """The columns of the data.

    Args:
        names: in the order of the file.
        index: index columns that the reader left out, by the metadata of pandas or because they have no name.
        captured: whether they are the features of the version in service, which never include an index by accident.
    """

    names: tuple[str, ...]
    index: tuple[str, ...] = ()
    captured: bool = False


def resolve_columns(data: Data, available: Available, *, target: str) -> Columns:
    """Target and features: those that the spec names, else all but target, time, group, excluded and index columns.

    Raises:
        DataRefusedError: the data lack a named column, the target is a feature, or no feature is left.
    """
    excluded, time_column = data.exclude or (), data.holdout.time_column
    _check_present("spec.data.target", (target,), available)
    _check_present("spec.data.features", data.features, available)
    _check_present("spec.data.exclude", excluded, available)
    _check_present("spec.data.holdout.timeColumn", () if time_column is None else (time_column,), available)
    group_column = data.holdout.group_column
    _check_present("spec.data.holdout.groupColumn", () if group_column is None else (group_column,), available)
    for field, named in (("features", data.features), ("exclude", excluded)):
        if target in named:
            raise DataRefusedError(
                f"spec.data.{field}: {target!r} is the target; a model must not be trained on its target, and it "
                "needs one"
            )
    if data.features:
        return Columns(target=target, features=tuple(dict.fromkeys(data.features)))
    used = {target, time_column, group_column, *excluded}
    index = () if available.captured else (*available.index, *index_names(available.names))
    features = tuple(
        name for name in available.names if name not in {*used, *index} and not name.startswith(OWN_PREFIX)
    )
    if not features:
        raise DataRefusedError(f"spec.data: no column is left for the model; the data have {listed(available.names)}")
    return Columns(target=target, features=features, index=tuple(name for name in index if name not in used))


def index_names(names: Sequence[str]) -> tuple[str, ...]:
    """The columns whose name shows that pandas wrote them as an index.

    An index of several levels without names becomes the columns `Unnamed: 0`, `Unnamed: 1`, ... at the beginning.
    """
    levels = [name for position, name in enumerate(names) if name == f"Unnamed: {position}"]
    leading = set(levels) if list(names[: len(levels)]) == levels else set()
    return tuple(name for name in names if name in leading or _INDEX_LEVEL.fullmatch(name) or _UNNAMED.fullmatch(name))


def _check_present(field: str, wanted: Sequence[str], available: Available) -> None:
    known = {*available.names, *available.index}
    missing = [name for name in wanted if name not in known]
    if not missing:
        return
    what = "column" if len(missing) == 1 else "columns"
    names = Names(available.names)
    question = did_you_mean(dict.fromkeys(match for name in missing[:_SHOWN] for match in names.similar(name)))
    hint = f" ({question})" if question else ""
    blanks = "; names with blanks at an end are quoted here" if any(_has_blanks(n) for n in available.names) else ""
    raise DataRefusedError(
        f"{field}: the data have no {what} {', '.join(map(repr, missing[:_SHOWN]))}{hint}; they have "
        f"{listed(available.names)}{blanks}"
    )


def listed(names: Sequence[str]) -> str:
    """Column names for a message, the first twelve."""
    shown = ", ".join(repr(name) if _has_blanks(name) else name for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _has_blanks(name: str) -> bool:
    return name != name.strip()
