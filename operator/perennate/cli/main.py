"""Entry point of the console script `perennate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from perennate.cli.arguments import parser
from perennate.cli.drift.exits import Exit
from perennate.processor import settle_numpy
from perennate.tabular.errors import UsageError

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, by convention of shells."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = parser().parse_args(arguments)
    settle_numpy(os.environ)
    try:
        # Slow imports belong to the command that needs them, so that `--help` is fast.
        from perennate.cli.drift.command import drift  # noqa: PLC0415

        return drift(args)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"perennate: {error.name} is not installed: pip install 'perennate[cli]'\n")
    except UsageError as error:
        sys.stderr.write(f"perennate: {error}\n")
    except BrokenPipeError:
        # The reader closed the pipe (`perennate ... | head`). Without this, Python reports an error when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    return Exit.USAGE
