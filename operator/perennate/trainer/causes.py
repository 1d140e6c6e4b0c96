"""What the exception of a library means for the user, without any value of a row.

Messages of scikit-learn, pandas and pyarrow often repeat values: "could not convert string to float: 'Ann Smith'". The
stages write neither such a message nor a traceback with it. Common causes have a text of their own that names the
columns. Of any other message only the words remain that the code of the library contains; the rest was inserted.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import pandas as pd

SHOWN_COLUMNS: Final = 5
MESSAGE_LENGTH: Final = 400
OMITTED: Final = "..."
"""Stands for every part of a message that may be a value."""
LARGEST_FLOAT32: Final = 3.4028235e38

_INSERTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|\{[^}]*\}")
"""Parts of a message that usually quote or list values."""
_COUNT: Final = re.compile(r"\(?n_[a-z_]+=\d+[,.)]*")
"""Such as `n_samples=3`, a number of rows or columns."""
_WORD: Final = re.compile(r"[^\W\d_](?:\w*\w)?|_\w+")


@dataclass(frozen=True)
class KnownCause:
    """A common cause of an error.

    Args:
        pattern: found in the message of the exception.
        text: what is wrong, for the message.
        has_cause: whether a column can be the cause; None: no column is named.
    """

    pattern: re.Pattern[str]
    text: str
    has_cause: Callable[[pd.Series[Any]], bool] | None = None


def is_text(column: pd.Series[Any]) -> bool:
    """Whether a feature holds text."""
    return column.dtype == object and any(isinstance(value, str) for value in column)


def is_incomplete(column: pd.Series[Any]) -> bool:
    """Whether values of a feature are missing."""
    return bool(column.isna().any())


def _is_huge(column: pd.Series[Any]) -> bool:
    return column.dtype.kind == "f" and bool((column.abs() > LARGEST_FLOAT32).any())


def _is_negative(column: pd.Series[Any]) -> bool:
    return column.dtype.kind == "f" and bool((column < 0).any())


TEXT: Final = KnownCause(
    re.compile(
        r"could not convert string|dtype='numeric' is not compatible|Cannot cast object dtype|ufunc .*dtype.*<U"
    ),
    "the estimator needs numbers, and there is text",
    is_text,
)
MISSING: Final = KnownCause(
    re.compile(r"contains NaN|NoneType"), "the estimator needs every value, and some are missing", is_incomplete
)
UNSEEN: Final = KnownCause(re.compile(r"Found unknown categories"), "a category that the fit has not seen is refused")
KNOWN: Final = (
    TEXT,
    MISSING,
    KnownCause(
        re.compile(r"uniformly strings or numbers|'<' not supported between instances"),
        "the estimator cannot use text and missing values in one column",
        lambda column: is_text(column) and is_incomplete(column),
    ),
    KnownCause(
        re.compile(r"infinity or a value too large"), "values are too large for 32-bit floating-point numbers", _is_huge
    ),
    KnownCause(re.compile(r"[Nn]egative values"), "the estimator accepts no negative values", _is_negative),
    UNSEEN,
)
"""In this order; the first that is found counts."""


def known_cause(error: BaseException) -> KnownCause | None:
    """The common cause of an exception; None if it has another one."""
    message = str(error)
    return next((cause for cause in KNOWN if cause.pattern.search(message)), None)


def describe(error: BaseException, features: pd.DataFrame | None = None, *, known: Collection[str] = ()) -> str:
    """The cause of an exception as part of a sentence; it repeats no value.

    Args:
        error: raised by a library that worked on rows.
        features: the rows, to name the columns that can be the cause.
        known: words that are no values, such as column names and parameters of the spec.
    """
    cause = known_cause(error)
    if cause is None:
        names = () if features is None else tuple(map(str, features.columns))
        return f"{safe_message(error, known={*known, *names})} ({type(error).__name__})"
    return f"{cause.text}{_in_columns(cause, features)}"


def safe_message(error: BaseException, *, known: Collection[str] = ()) -> str:
    """The message of an exception without parts that may be values: only words of the code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    files = {frame.filename for frame in frames[-2:]}
    return without_values(str(error), files, known=known)


def without_values(message: str, files: Collection[str], *, known: Collection[str] = ()) -> str:
    """A message without parts that may be values.

    Args:
        message: of an exception or a warning.
        files: source files of the code that wrote the message.
        known: words that are no values.
    """
    source = " ".join(_text_of(file) for file in files)
    vocabulary = frozenset(_WORD.findall(source))
    line = " ".join(message.split())
    if not line:
        return "no message"
    line = _INSERTED.sub(lambda found: found[0] if found[0] in source or found[0][1:-1] in known else OMITTED, line)
    words = [word if _is_safe(word, source, vocabulary, known) else OMITTED for word in line.split(" ")]
    return _merged(words)[:MESSAGE_LENGTH]


def place(error: BaseException) -> str:
    """Where an exception was raised: function, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    last = frames[-1]
    return f"{last.name} ({'/'.join(Path(last.filename).parts[-2:])}:{last.lineno})"


def safe_traceback(error: BaseException) -> str:
    """A traceback without the messages of the exceptions, which may repeat values."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{type(current).__name__}\n")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nwhich was caused by:\n\n".join(parts)


def columns_with(features: pd.DataFrame, has_cause: Callable[[pd.Series[Any]], bool]) -> list[str]:
    """Names of the columns for which a condition holds."""
    return [str(name) for name in features.columns if has_cause(features[name])]


def listed(names: Collection[str]) -> str:
    """Names for a message: the first five, and the number of the others."""
    shown = ", ".join(list(names)[:SHOWN_COLUMNS])
    return shown if len(names) <= SHOWN_COLUMNS else f"{shown} and {len(names) - SHOWN_COLUMNS} more"


def _in_columns(cause: KnownCause, features: pd.DataFrame | None) -> str:
    if features is None or cause.has_cause is None:
        return ""
    found = columns_with(features, cause.has_cause)
    if not found:
        return ""
    return f" in the column{'s' if len(found) > 1 else ''} {listed(found)}"


def _is_safe(word: str, source: str, vocabulary: frozenset[str], known: Collection[str]) -> bool:
    bare = word.strip("'\"`.,:;()")
    if word == OMITTED or bare in known or _COUNT.fullmatch(word):
        return True
    if _INSERTED.fullmatch(literal := word.strip(".,:;()")):
        return literal in source
    # A number may be a value, such as a numeric class.
    if any(letter.isdigit() for letter in word):
        return False
    parts = _WORD.findall(word)
    return bool(parts) and all(part in vocabulary or part in known for part in parts)


def _merged(words: list[str]) -> str:
    kept = [word for place, word in enumerate(words) if word != OMITTED or words[place - 1 : place] != [OMITTED]]
    return " ".join(kept)


@lru_cache(maxsize=16)
def _text_of(file: str) -> str:
    """The text of a source file; empty if it cannot be read."""
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
