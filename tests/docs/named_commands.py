"""For each command that documents name: the file that runs it, and the text in that file that runs it."""

from __future__ import annotations

from typing import Final

NAMED_COMMANDS: Final = {
    "make help": ("tests/repo/test_makefile.py", '["make", "help"]'),
    "make install": ("Makefile", "$(VENV):\n\t@$(STEP)"),
    "make test": (".ci/run", "exec make test"),
    "make lint verify test-unit": ("Makefile", "@$(MAKE) lint\n\t@$(MAKE) verify\n\t@$(MAKE) coverage"),
    "make test-unit": ("Makefile", "@$(MAKE) coverage"),
    "make generate": ("tests/repo/test_crds.py", "generate.write("),
    "make demo": ("tests/e2e/test_demo.py", '"tools.demo"'),
    "KEEP=1 make demo": ("tests/e2e/test_demo.py", '{"KEEP": "1"}'),
    "make cluster-up": ("tests/e2e/conftest.py", 'local_cluster("up")'),
    "make images": ("tests/e2e/conftest.py", 'local_cluster("images")'),
    "make cluster-down": ("tests/e2e/conftest.py", 'local_cluster("down")'),
}
"""A command of a document -> the file that runs it, and the text in that file that runs it."""

RECIPES: Final = {
    "demo": "$(BIN)/python -m tools.demo",
    "cluster-up": "python3 -m tools.cluster up",
    "cluster-down": "python3 -m tools.cluster down",
    "images": "python3 -m tools.cluster images",
}
"""The recipes of make targets whose main command the entries above run."""
