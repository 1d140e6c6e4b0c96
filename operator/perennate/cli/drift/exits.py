"""Exit codes: what a script or a pipeline goes on from."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `perennate drift`, in the words of its documentation."""

    QUIET = 0
    """Nothing that matters changed; a change below the drift level is reported, not more."""
    USAGE = 2
    """The request cannot be met: one sentence on stderr says why."""
    DRIFT = 3
    """A feature or the score drifted, or measured performance was lost."""
    FAULT = 4
    """The data are faulty (missing, unseen or out of range), whether or not anything drifted: mend them first, since a
    fault can look like drift."""
    UNKNOWN = 5
    """Too few rows to tell, which is not "no drift"; or --metric or --tolerance ask for a performance that cannot be
    told."""
