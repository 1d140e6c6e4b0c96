"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perennate.report.document import ColumnReport, DriftReport, MetricReport, Shares
from perennate.report.words import METHODS, interval_name, number, p_value, percent, size, unseen_words
from perennate.text import printable

STYLES = {"Drifted": "bold red", "Warning": "yellow", "Changed": "cyan", "None": "green", "Unknown": "dim"}
OUTCOMES = {"Quiet": "bold green", "Drift": "bold red", "DataFault": "bold magenta", "Unknown": "bold yellow"}
WIDTH = 120
"""Width of output that is not a terminal."""
LONGEST_NAME = 40


class PipedConsole(Console):
    """A console that reports a closed pipe to the caller; rich itself would end the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        """Raise the error again that rich caught."""
        raise BrokenPipeError


def print_table(report: DriftReport, stream: TextIO) -> None:
    """Write the report as tables, with colours only on a terminal and unless NO_COLOR is set."""
    console = PipedConsole(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)

    def write_line(*parts: str | tuple[str, str]) -> None:
        """Write a line of text; it is wrapped only on a terminal."""
        clean = ((printable(part), "") if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts)
        console.print(Text.assemble(*clean), soft_wrap=not stream.isatty())

    write_line((report.words, OUTCOMES[report.outcome]))
    write_line(
        f"{_names(report.reference.names)} ({report.reference.rows:,} rows) against "
        f"{_names(report.current.names)} ({report.current.rows:,} rows)"
    )
    for fault in report.faults:
        write_line(("data fault ", "bold magenta"), fault.words)
    if report.columns:
        console.print(columns_table(report.columns))
    for text in _explanations(report):
        write_line(text)
    if report.performance:
        console.print(performance_table(report.performance, report.settings.significance))
    for note in report.notes:
        write_line((note, "dim"))


def _explanations(report: DriftReport) -> Iterator[str]:
    """What changed in the columns and in the target."""
    for column in report.columns:
        if column.hint and column.verdict in {"Drifted", "Warning"}:
            yield column.hint
        if column.unseen_values:
            yield f"`{column.name}`: {unseen_words(column.unseen_values, report.current.rows)}"
    if report.target is not None:
        yield f"Target: {report.target.words} {report.target.hint or ''}".rstrip()


def columns_table(columns: tuple[ColumnReport, ...]) -> Table:
    """One line for each column, worst first."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("column", "verdict"):
        table.add_column(title, overflow="fold")
    for title in ("effect", "drift from", "p", "missing", "unseen", "out of range"):
        table.add_column(title, justify="right", no_wrap=True)
    for column in columns:
        verdict = "no change" if column.verdict == "None" else column.verdict.lower()
        table.add_row(
            Text(shortened(column.name)),
            Text(verdict, style=STYLES[column.verdict]),
            f"{METHODS.get(column.method, column.method)} {size(column.effect)}",
            number(column.threshold),
            p_value(column.p).removeprefix("p ").removeprefix("= "),
            *(_change(shares) for shares in (column.missing, column.unseen, column.out_of_range)),
        )
    return table


def performance_table(metrics: tuple[MetricReport, ...], significance: float) -> Table:
    """One line for each metric."""
    estimated = any(metric.estimated for metric in metrics)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("estimated performance" if estimated else "performance")
    for title in ("value", interval_name(significance, estimated=estimated), "reference", "rows"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("")
    for metric in metrics:
        table.add_row(
            metric.metric,
            f"{metric.value:.4g}",
            f"{metric.lower:.4g} to {metric.upper:.4g}",
            "" if metric.baseline is None else f"{metric.baseline:.4g}",
            f"{metric.rows:,}",
            Text(performance_verdict(metric), style="bold red" if metric.lost else ""),
        )
    return table


def performance_verdict(metric: MetricReport) -> str:
    """The verdict of the metric that decides; empty for the others."""
    if metric.lost is None or metric.tolerance is None:
        return ""
    return f"{'lost' if metric.lost else 'held'} (tolerated {metric.tolerance:.3g})"


def shortened(name: str) -> str:
    """Shorten a name to the width of a table column."""
    name = printable(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _names(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _change(shares: Shares | None) -> str:
    """Format the change of a share; a dot if both are 0."""
    if shares is None:
        return ""
    if not (shares.reference or shares.current):
        return "·"
    before, now = percent(shares.reference), percent(shares.current)
    return now if before == now else f"{before} → {now}"
