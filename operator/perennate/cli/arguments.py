"""The arguments of every command. Imports only the standard library, so that `--help` is fast."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from perennate import __version__
from perennate.cli.drift.exits import Exit
from perennate.text import printable

FORMATS = ("csv", "jsonl", "parquet", "feather")
DECIMALS = (".", ",")
OUTPUTS = ("table", "json", "html")
METHODS = ("psi", "jensenShannon", "kolmogorovSmirnov", "wasserstein", "meanShift")

DRIFT = """\
Compare current data with the data that a model was trained on, and test every column for drift and data faults.

The reference is a file (--reference) or a profile that was saved from one (--profile). The current data are files
(--current), or the counts documents of serving pods (--counts), which need the profile of the served version."""

EPILOG = "exit codes:\n" + "\n".join(
    f"  {code.value}  {words}"
    for code, words in (
        (Exit.QUIET, "quiet: no relevant change"),
        (Exit.USAGE, "usage: an option or a file is invalid; one sentence on stderr says why"),
        (Exit.DRIFT, "drift: a column or the score drifted, or measured performance dropped"),
        (Exit.FAULT, "data fault: missing, unseen or out-of-range values; drift with only out-of-range values is 3"),
        (Exit.UNKNOWN, "unknown: too few rows, or too few labelled rows for --metric or --tolerance"),
        (Exit.INTERRUPTED, "interrupted: Ctrl-C, or the reader of the output closed the pipe"),
    )
)


MAX_QUORUM = 2**53
"""Upper limit of --min-drifted-features."""


class Parser(argparse.ArgumentParser):
    """Writes errors without characters that control the terminal: an argument may name somebody else's file."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the error, and exit."""
        super().error(printable(message))


def parser() -> argparse.ArgumentParser:
    """The parser of `perennate`."""
    top = Parser(prog="perennate", description="Keeps machine-learning models alive.")
    top.add_argument("--version", action="version", version=f"perennate {__version__}")
    commands = top.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    add_drift(commands.add_parser("drift", help="test files for drift", description=DRIFT, epilog=EPILOG))
    return top


def add_drift(drift: argparse.ArgumentParser) -> None:
    """The arguments of `perennate drift`."""
    drift.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_files(drift)
    _add_columns(drift)
    _add_model(drift)
    _add_test(drift)
    _add_output(drift)


def _add_files(drift: argparse.ArgumentParser) -> None:
    files = drift.add_argument_group("files")
    reference = files.add_mutually_exclusive_group(required=True)
    reference.add_argument("--reference", type=Path, metavar="FILE", help="rows that the model was trained on")
    reference.add_argument("--profile", type=Path, metavar="FILE", help="profile of such rows (profile.json)")
    current = files.add_mutually_exclusive_group()
    current.add_argument(
        "--current", type=Path, metavar="FILE", nargs="+", help="current rows, in one or more files or folders"
    )
    current.add_argument(
        "--counts", type=Path, metavar="FILE", nargs="+", help="counts documents of serving pods, one per pod"
    )
    files.add_argument("--save-profile", type=Path, metavar="FILE", help="write the profile of the reference")
    files.add_argument("--format", choices=FORMATS, help="format of all data files (default: by their extensions)")
    files.add_argument(
        "--delimiter", metavar="CHAR", help="delimiter of csv files (default: a comma, or what the first lines show)"
    )
    files.add_argument(
        "--decimal", choices=DECIMALS, default=".", help="decimal separator of numbers in text (default: a point)"
    )
    files.add_argument(
        "--na",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD",
        help="more values that mean a missing value, such as ? or -999",
    )
    files.add_argument(
        "--no-default-na",
        action="store_true",
        help="in csv files, only an empty field and the values of --na are missing, so that NA or null is a value "
        "(default: the words of pandas.read_csv are missing too)",
    )
    files.add_argument(
        "--reference-rows",
        type=_positive_int,
        metavar="N",
        help="use a uniform sample of at most N rows of the reference (default: up to 32 million values in memory)",
    )


def _add_columns(drift: argparse.ArgumentParser) -> None:
    columns = drift.add_argument_group("columns", "Types are inferred from the reference, unless an option sets them.")
    for name, words in (
        ("categorical", "treat these columns as categories"),
        ("numeric", "treat these columns as numbers"),
        ("datetime", "treat these columns as dates and times"),
        ("ignore", "exclude these columns"),
    ):
        columns.add_argument(
            f"--{name}", nargs="+", action="extend", default=[], metavar="COLUMN", help=f"{words} (may be repeated)"
        )
    columns.add_argument(
        "--time",
        metavar="COLUMN",
        help="column with the time of the current rows, which is not compared: rows that resemble their neighbours in "
        "time count as fewer (default: the rows are independent)",
    )


def _add_model(drift: argparse.ArgumentParser) -> None:
    model = drift.add_argument_group(
        "the model", "The predictions in the reference must be for rows that the model was not trained on."
    )
    model.add_argument("--target", metavar="COLUMN", help="column with the true labels")
    model.add_argument(
        "--prediction",
        metavar="COLUMN",
        help="column with the predictions: probabilities, classes or numbers",
    )
    model.add_argument(
        "--task", choices=("classification", "regression"), help="task of the model (default: inferred from the target)"
    )
    model.add_argument(
        "--positive",
        metavar="CLASS",
        help="class that the probability refers to (default: the last of the two in sorted order)",
    )
    model.add_argument(
        "--threshold",
        type=_share,
        metavar="P",
        help="probability above which the positive class is predicted (default: 0.5)",
    )
    model.add_argument(
        "--metric",
        metavar="METRIC",
        help="metric that decides (default: auc, accuracy or mae, depending on the predictions)",
    )
    model.add_argument(
        "--tolerance",
        type=_positive,
        metavar="LOSS",
        help="tolerated loss in the unit of the metric (default: 0.05; for regression a tenth of the baseline)",
    )


def _add_test(drift: argparse.ArgumentParser) -> None:
    test = drift.add_argument_group("the test")
    test.add_argument(
        "--min-samples",
        type=_positive_int,
        default=500,
        metavar="N",
        help="rows below which the result is unknown, at least 100 (default: %(default)s)",
    )
    test.add_argument(
        "--significance",
        type=_share,
        default=0.001,
        metavar="P",
        help="probability of a false alarm per run (default: %(default)s)",
    )
    test.add_argument(
        "--warning", type=_positive, metavar="EFFECT", help="effect size of a warning (default: half of --drifted)"
    )
    test.add_argument(
        "--drifted", type=_positive, default=0.2, metavar="EFFECT", help="effect size of drift (default: %(default)s)"
    )
    test.add_argument(
        "--rule",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN=METHOD:EFFECT",
        help=f"test a column by another method ({', '.join(METHODS)}) with this drift threshold (may be repeated)",
    )
    test.add_argument(
        "--min-drifted-features",
        type=_quorum,
        default="1",
        metavar="N",
        help="columns that must drift: a number, or a share such as 30%% (default: %(default)s)",
    )


def _add_output(drift: argparse.ArgumentParser) -> None:
    output = drift.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        choices=OUTPUTS,
        help="format of the report (default: by the extension of --output-file, else table)",
    )
    output.add_argument(
        "--output-file", type=Path, metavar="FILE", help="write the report to this file instead of stdout"
    )
    output.add_argument("--no-progress", action="store_true", help="do not show a progress bar")


def _positive_int(text: str) -> int:
    """Parse an integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text}")
    return value


def _positive(text: str) -> float:
    """Parse a number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def _share(text: str) -> float:
    """Parse a number above 0 and below 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1, got {text}")
    return value


def _quorum(text: str) -> float:
    """Parse an integer of at least 1, or a share above 0% and below 100%."""
    try:
        quorum = float(text.removesuffix("%")) / 100 if text.endswith("%") else int(text)
    except ValueError:
        quorum = 0
    if not (0 < quorum < 1 if text.endswith("%") else 1 <= quorum < MAX_QUORUM):
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 1, or a share above 0% and below 100%, got {text}"
        )
    return quorum
