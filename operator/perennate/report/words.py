"""Texts of verdicts, faults and numbers."""

from __future__ import annotations

from perennate.drift import DataFault, DriftVerdict, FeatureResult
from perennate.report.document import UnseenValue
from perennate.text import shortened

METHODS = {
    "psi": "PSI*",
    "jensenShannon": "JS*",
    "kolmogorovSmirnov": "KS",
    "wasserstein": "Wasserstein",
    "meanShift": "mean shift",
}
"""Names of the methods in texts."""
CHECKS = {"missing": "missing", "other": "unseen or of another kind", "out-of-range": "outside the reference's range"}
SMALLEST_P = 1e-12


def verdict_words(result: FeatureResult, *, needed: int) -> str:
    """The verdict of a column in one sentence.

    Args:
        result: result of the column.
        needed: rows that a verdict needs.
    """
    effect = f"{METHODS.get(result.method, result.method)} {size(result.effect)}"
    if result.verdict is DriftVerdict.UNKNOWN:
        return f"Too few rows with a value: {result.rows:,}, at least {needed:,} needed."
    if result.verdict is DriftVerdict.NONE:
        return f"No significant change ({effect}, {p_value(result.p)})."
    if result.verdict is DriftVerdict.CHANGED:
        return (
            f"Changed, but too little to matter ({effect}, threshold {number(result.threshold)}, {p_value(result.p)})."
        )
    if result.verdict is DriftVerdict.WARNING:
        return f"Changed, but not drift ({effect}, threshold {number(result.threshold)}, {p_value(result.p)})."
    return f"Drifted ({effect}, threshold {number(result.threshold)}, {p_value(result.p)})."


def fault_words(fault: DataFault) -> str:
    """A data fault in one sentence."""
    rates = f"{percent(fault.rate)} {CHECKS[fault.check]}, {percent(fault.reference_rate)} in the reference"
    return f"{fault.feature}: {rates}."


def number(value: float) -> str:
    """Format a number with about three significant digits, without an exponent if possible."""
    if value == 0 or 0.001 <= abs(value) < 100_000:
        digits = 0 if abs(value) >= 1000 else 3 if 0 < abs(value) < 0.1 else 2
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text and abs(value) >= 10 else text
    return f"{value:.2g}"


def size(effect: float) -> str:
    """Format an effect size."""
    return f"{effect:.2f}" if abs(effect) >= 0.095 else f"{abs(effect) if abs(effect) < 0.0005 else effect:.3f}"


def bound(value: float) -> str:
    """Format an end of a bin."""
    return f"{value:.4g}" if abs(value) < 10_000 or abs(value) >= 1e9 else f"{value:,.0f}"


def p_value(p: float) -> str:
    """Format a p-value; below `SMALLEST_P` only the bound is shown."""
    if p < SMALLEST_P:
        return "p < 1e-12"
    return f"p = {p:.2f}" if p >= 0.01 else f"p = {p:.1g}"


def percent(share: float) -> str:
    """Format a share in per cent."""
    if share < 0.001:
        return "< 0.1 %" if share else "0 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def quorum(least: float) -> str:
    """Format a quorum: a number of columns, or a share in per cent."""
    return f"{least:,}" if least >= 1 else f"{least * 100:g} %"


def pluralize(many: int, one: str, more: str | None = None) -> str:
    """Format a number with its noun in singular or plural."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def interval_name(significance: float, *, estimated: bool) -> str:
    """What the interval of a metric is, with its level."""
    return f"{100 * (1 - significance):g} % {'prediction' if estimated else 'confidence'} interval"


def unseen_words(values: tuple[UnseenValue, ...], rows: int) -> str:
    """The most frequent unseen values in words."""
    named = ", ".join(f"{shortened(item.value)!r} ({percent(item.rows / rows)})" for item in values)
    return f"Most frequent values that the reference does not list: {named}."
