"""A record of the running engine for the next run, because a run that is killed cannot clean up."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.kind.engine import daemon, leftovers, removal
from tests.kind.engine.daemon import Folders
from tests.kind.engine.leftovers import Snapshot
from tools.cluster.host import cache
from tools.cluster.host.processes import ProcessId
from tools.cluster.host.progress import echo, step


def _file() -> Path:
    return cache.root() / "docker-running.json"


def write(folders: Folders, before: Snapshot, process: ProcessId | None = None) -> None:
    """Record what must be cleaned up for an engine that is starting or running."""
    content = {
        "data": str(folders.data),
        "run": str(folders.run),
        "before": before,
        "boot": ProcessId.of(1).boot,
        "process": asdict(process) if process else None,
    }
    scratch = _file().with_suffix(".new")
    scratch.write_text(json.dumps(content))
    scratch.replace(_file())


def drop() -> None:
    """Remove the record: the engine is gone."""
    _file().unlink(missing_ok=True)


def clean_up_after_killed() -> None:
    """Stop and remove the engine of a run that was killed. The caller holds the lock, so that run has ended."""
    try:
        noted = json.loads(_file().read_text())
    except FileNotFoundError:
        return
    # After a reboot, only its folders are left.
    if noted["boot"] == ProcessId.of(1).boot:
        with step("cleaning up after an earlier run that was killed"):
            if noted["process"]:
                daemon.stop(ProcessId(**noted["process"]))
            removal.clean(noted["before"], Folders(data=Path(noted["data"]), run=Path(noted["run"])))
        for line in leftovers.differences(noted["before"], leftovers.snapshot(noted["run"])):
            echo(f"the killed run left something behind: {line}")
    drop()
