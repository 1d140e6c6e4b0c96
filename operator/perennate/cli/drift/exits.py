"""Exit codes, for scripts and pipelines."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `perennate drift`."""

    QUIET = 0
    """No relevant change. A change below the drift threshold is only reported."""
    USAGE = 2
    """An option or a file is invalid; one sentence on stderr says why."""
    DRIFT = 3
    """A feature or the score drifted, or measured performance dropped."""
    FAULT = 4
    """Data faults (missing, unseen or out-of-range values), with or without drift. Fix them first: faults can look
    like drift. Drift with no other fault than out-of-range values is 3."""
    UNKNOWN = 5
    """Too few rows, which does not mean "no drift"; or too few labelled rows for --metric or --tolerance."""
    INTERRUPTED = 130
    """Ctrl-C, or the reader of the output closed it (`perennate ... | head`); by convention of shells."""
