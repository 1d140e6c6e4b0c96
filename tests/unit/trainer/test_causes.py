"""Causes of errors: clear, and without values of rows."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.artifacts import ArtifactConflictError, ArtifactCorruptError, ArtifactError
from perennate.trainer.causes import describe, listed, safe_traceback, without_values
from perennate.trainer.errors import BadConfigurationError, DataRefusedError, is_transient, refusing

ROWS = pd.DataFrame(
    {
        "size": [1.0, np.nan, -3.0],
        "town": ["Bonn", "Ulm", None],
        "huge": [1e300, 1.0, 2.0],
        "mixed": [1.0, "x", True],
        "open": [True, False, True],
    }
)

KNOWN: dict[str, tuple[str, str]] = {
    "text": (
        "could not convert string to float: 'Bonn'",
        "the estimator needs numbers, and there is text in the columns town, mixed",
    ),
    "missing": (
        "Input X contains NaN.\nLogisticRegression does not accept missing values",
        "the estimator needs every value, and some are missing in the columns size, town",
    ),
    "both": (
        "Encoders require their input argument must be uniformly strings or numbers. Got ['float', 'str']",
        "the estimator cannot use text and missing values in one column in the column town",
    ),
    "huge": (
        "Input X contains infinity or a value too large for dtype('float32').",
        "values are too large for 32-bit floating-point numbers in the column huge",
    ),
    "negative": (
        "Negative values in data passed to MultinomialNB (input X).",
        "the estimator accepts no negative values in the column size",
    ),
    "unseen": (
        "Found unknown categories ['Trier'] in column 0 during transform",
        "a category that the fit has not seen is refused",
    ),
}


@pytest.mark.parametrize("case", KNOWN)
def test_common_causes_name_the_columns(case: str) -> None:
    message, want = KNOWN[case]
    assert describe(ValueError(message), ROWS) == want


def test_a_cause_without_rows_names_no_column() -> None:
    assert describe(ValueError("Input X contains NaN.")) == "the estimator needs every value, and some are missing"


def test_many_columns_are_counted() -> None:
    assert listed(["a", "b", "c", "d", "e", "f", "g"]) == "a, b, c, d, e and 2 more"


MESSAGES: dict[str, tuple[str, str]] = {
    # name: message, without values
    "words of the source remain": ("alpha must be positive", "alpha must be positive"),
    "a literal of the source remains": ("got 'large'", "got 'large'"),
    "a quoted value": ("alpha must be positive, got 'Zweibruecken'", "alpha must be positive, got ..."),
    "a bare value": ("alpha must be positive, got Zweibruecken!", "alpha must be positive, got ..."),
    "a list of values": ("alpha must be positive: ['Zweibruecken', 'Zwickau']", "alpha must be positive: ..."),
    "a number": ("alpha must be positive, got -38.25", "alpha must be positive, got ..."),
    "a number of rows": ("alpha must be positive, n_samples=38", "alpha must be positive, n_samples=38"),
    "a name of the spec": (
        "alpha must be positive, got 'saga' and saga",
        "alpha must be positive, got 'saga' and saga",
    ),
    "a value with a quotation mark": ("got 'Zwei'bruecken' Zwickau", "got ..."),
    "an address": ("got zora@zwickau.example", "got ..."),
    "several lines": ("alpha\n  must be\n\tpositive", "alpha must be positive"),
    "nothing": ("", "no message"),
}


@pytest.fixture
def source(tmp_path: Path) -> str:
    """The source file of the code that raises the messages."""
    path = tmp_path / "module.py"
    path.write_text("raise ValueError(f\"alpha must be positive, got 'large' and {value}: \")")
    return str(path)


@pytest.mark.parametrize("case", MESSAGES)
def test_other_messages_keep_only_words_of_the_code_that_raised_them(case: str, source: str) -> None:
    message, want = MESSAGES[case]
    assert without_values(message, {source}, known={"saga"}) == want


def test_without_the_source_no_word_remains() -> None:
    assert without_values("alpha must be positive", {"/nowhere/module.py"}) == "..."


@given(value=st.text(min_size=1, max_size=30), quote=st.sampled_from(["", "'", '"', "`"]))
def test_no_value_remains_whatever_it_is(value: str, quote: str) -> None:
    """Only words that this file contains can remain, and the parts of a value are none of them."""
    message = f"refused {quote}{value} qzx{value}qzx{quote}"
    found = without_values(message, {"/nowhere/module.py"})
    assert set(found.split()) <= {"..."}


def test_a_traceback_has_the_places_and_no_messages() -> None:
    """Also of the exceptions that caused it."""
    zwickau = chr(90) + "wickau"
    try:
        try:
            float(zwickau)
        except ValueError as error:
            raise KeyError(zwickau) from error
    except KeyError as error:
        text = safe_traceback(error)
    assert "Zwickau" not in text
    assert "KeyError" in text
    assert "ValueError" in text
    assert "float(zwickau)" in text


TRANSIENT: dict[str, tuple[BaseException, bool]] = {
    "memory": (MemoryError(), True),
    "a full disk": (OSError(28, "No space left on device"), True),
    "a lost connection": (ConnectionResetError(), True),
    "a time limit": (TimeoutError(), True),
    "a killed worker": (BrokenExecutor(), True),
    "a store that cannot be written": (ArtifactError("the store cannot be written"), True),
    "a damaged version": (ArtifactCorruptError("damaged"), False),
    "another file in the place of a version": (ArtifactConflictError("differs"), False),
    "a wrong value": (ValueError(), False),
    "a wrong encoding": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), False),
    "a missing key": (KeyError("x"), False),
    "nesting that is too deep": (RecursionError(), False),
    "an overflow": (OverflowError(), False),
}


@pytest.mark.parametrize("case", TRANSIENT)
def test_a_retry_helps_only_against_errors_of_the_node(case: str) -> None:
    error, want = TRANSIENT[case]
    assert is_transient(error) is want
    with pytest.raises(type(error) if want else BadConfigurationError), refusing("spec.trainer: it failed"):
        raise error


def test_errors_of_a_stage_pass_unchanged() -> None:
    with pytest.raises(DataRefusedError, match=r"^spec\.data: empty$"), refusing("spec.trainer: it failed"):
        raise DataRefusedError("spec.data: empty")


def test_the_message_says_what_was_done_and_why_it_failed() -> None:
    with pytest.raises(BadConfigurationError) as caught, refusing("spec.trainer: it cannot be saved", ROWS):
        raise ValueError("Input X contains NaN.")
    assert str(caught.value) == (
        "spec.trainer: it cannot be saved: the estimator needs every value, and some are missing in the columns size, "
        "town"
    )
