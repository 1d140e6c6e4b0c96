"""Entry point of the console script `perennate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from perennate.cli.arguments import parser
from perennate.cli.drift.exits import Exit
from perennate.processor import settle_numpy
from perennate.tabular.errors import UsageError
from perennate.text import printable

EPOCH = "SOURCE_DATE_EPOCH"
"""The variable of reproducible builds that fixes dates."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = parser().parse_args(arguments)
    settle_numpy(os.environ)
    try:
        # Slow imports belong to the command that needs them, so that `--help` is fast.
        from perennate.cli.drift.command import drift  # noqa: PLC0415

        return drift(args, created=report_time(os.environ))
    except ModuleNotFoundError as error:
        sys.stderr.write(f"perennate: {error.name} is not installed: pip install 'perennate[cli]'\n")
    except UsageError as error:
        sys.stderr.write(f"perennate: {printable(str(error))}{error.option and f'; {error.option}'}\n")
    except BrokenPipeError:
        # The reader closed the pipe (`perennate ... | head`). Without this, Python reports an error when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.INTERRUPTED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.USAGE


def report_time(environment: Mapping[str, str]) -> datetime:
    """The date of a report: now, or SOURCE_DATE_EPOCH in seconds since 1970, which makes equal reports equal files.

    Raises:
        UsageError: the variable is not such a number.
    """
    given = environment.get(EPOCH)
    try:
        return datetime.now(UTC).replace(microsecond=0) if given is None else datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{EPOCH} must be a whole number of seconds since 1970, got {given!r}") from error
