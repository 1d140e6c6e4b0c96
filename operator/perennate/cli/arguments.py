"""The arguments of every command. Only the standard library is imported, so that `--help` is quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennate import __version__
from perennate.cli.drift.exits import Exit

FORMATS = ("csv", "parquet", "feather")
OUTPUTS = ("table", "json", "html")
METHODS = ("psi", "jensenShannon", "kolmogorovSmirnov", "wasserstein", "meanShift")

DRIFT = """\
Compare data with the data that a model was trained on: every column is tested for drift and for data faults.

The reference is a file (--reference) or a profile that was saved from one (--profile). What is compared with it is
files (--current), or the counts documents of serving pods (--counts), which need the profile that the pods count
against."""

EPILOG = "exit codes:\n" + "\n".join(
    f"  {code.value}  {words}"
    for code, words in (
        (Exit.QUIET, "quiet: nothing that matters changed"),
        (Exit.USAGE, "usage: the request cannot be met; one sentence on stderr says why"),
        (Exit.DRIFT, "drift: a column or the score drifted, or measured performance was lost"),
        (Exit.FAULT, "data fault: values missing, unseen or out of range, whether or not there is drift too"),
        (Exit.UNKNOWN, "unknown: too few rows to tell, or too few with their truth for --metric or --tolerance"),
    )
)


LARGEST = 2**53
"""Of a number of columns; far more than there can be."""


def parser() -> argparse.ArgumentParser:
    """The parser of `perennate`."""
    top = argparse.ArgumentParser(prog="perennate", description="Keeps machine-learning models alive.")
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
        "--current", type=Path, metavar="FILE", nargs="+", help="rows to compare, in one or more files"
    )
    current.add_argument(
        "--counts", type=Path, metavar="FILE", nargs="+", help="counts documents of serving pods, one of each pod"
    )
    files.add_argument("--save-profile", type=Path, metavar="FILE", help="write the profile of the reference")
    files.add_argument("--format", choices=FORMATS, help="format of all data files (default: by their extensions)")
    files.add_argument(
        "--delimiter", default=",", metavar="CHAR", help="between the fields of a csv (default: a comma)"
    )
    files.add_argument(
        "--missing-values",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD",
        help="words of a csv that mean a missing value, beside an empty field (default: those of pandas.read_csv)",
    )
    files.add_argument(
        "--reference-rows",
        type=_positive_int,
        metavar="N",
        help="hold at most so many rows of the reference, evenly drawn (default: as many as 32 million values)",
    )


def _add_columns(drift: argparse.ArgumentParser) -> None:
    columns = drift.add_argument_group("columns", "Types are inferred from the reference unless they are given here.")
    for name, words in (
        ("categorical", "take these columns as categories"),
        ("numeric", "take these columns as numbers"),
        ("datetime", "take these columns as dates and times"),
        ("ignore", "leave these columns out"),
    ):
        columns.add_argument(
            f"--{name}", nargs="+", action="extend", default=[], metavar="COLUMN", help=f"{words} (may be repeated)"
        )


def _add_model(drift: argparse.ArgumentParser) -> None:
    model = drift.add_argument_group(
        "the model", "Predictions of the reference must be of rows that the model did not learn from."
    )
    model.add_argument("--target", metavar="COLUMN", help="column with the truth")
    model.add_argument(
        "--prediction",
        metavar="COLUMN",
        help="column with what the model said: a probability, a class, or a number",
    )
    model.add_argument(
        "--task", choices=("classification", "regression"), help="what the model does (default: seen from the target)"
    )
    model.add_argument(
        "--positive", metavar="CLASS", help="class that the probability is of (default: the last of the two in order)"
    )
    model.add_argument(
        "--metric", metavar="METRIC", help="metric that decides (default: auc, accuracy or mae, by what is predicted)"
    )
    model.add_argument(
        "--tolerance",
        type=_positive,
        metavar="LOSS",
        help="loss of it that is tolerated, in its own unit (default: 0.05; for a regression a tenth of the baseline)",
    )


def _add_test(drift: argparse.ArgumentParser) -> None:
    test = drift.add_argument_group("the test")
    test.add_argument(
        "--min-samples",
        type=_positive_int,
        default=500,
        metavar="N",
        help="rows below which nothing is said, at least 100 (default: %(default)s)",
    )
    test.add_argument(
        "--significance",
        type=_share,
        default=0.001,
        metavar="P",
        help="chance of a false alarm in a whole run (default: %(default)s)",
    )
    test.add_argument(
        "--warning", type=_positive, metavar="EFFECT", help="effect of a warning (default: half of --drifted)"
    )
    test.add_argument(
        "--drifted", type=_positive, default=0.2, metavar="EFFECT", help="effect of drift (default: %(default)s)"
    )
    test.add_argument(
        "--rule",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN=METHOD:EFFECT",
        help=f"judge a column by another method ({', '.join(METHODS)}), as drift from this effect on (may be repeated)",
    )
    test.add_argument(
        "--min-drifted-features",
        type=_quorum,
        default="1",
        metavar="N",
        help="how many columns must drift: a number, or a share of them such as 30%% (default: %(default)s)",
    )


def _add_output(drift: argparse.ArgumentParser) -> None:
    output = drift.add_argument_group("output")
    output.add_argument(
        "-o", "--output", choices=OUTPUTS, help="form of the report (default: by --output-file, else table)"
    )
    output.add_argument("--output-file", type=Path, metavar="FILE", help="write the report here, not to stdout")
    output.add_argument("--no-progress", action="store_true", help="show no progress bar on a terminal")


def _positive_int(text: str) -> int:
    """A whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text}")
    return value


def _positive(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def _share(text: str) -> float:
    """A number above 0 and below 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1, got {text}")
    return value


def _quorum(text: str) -> float:
    """A whole number from 1, or a share above 0 and below 1."""
    try:
        quorum = float(text.removesuffix("%")) / 100 if text.endswith("%") else int(text)
    except ValueError:
        quorum = 0
    if not (0 < quorum < 1 if text.endswith("%") else 1 <= quorum < LARGEST):
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 1, or a share above 0% and below 100%, got {text}"
        )
    return quorum
