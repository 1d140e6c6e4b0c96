"""Distribution of the attacks: those on one API server run in one worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FOLDER_WITH_API_SERVER = "resources"


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Runs the tests of `resources/` in one worker, so that they share the API server, and other files anywhere."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = Path(file).parent.name
        return folder if folder == FOLDER_WITH_API_SERVER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    """Distribute the tests by file or folder."""
    return Scheduler(config, log)
