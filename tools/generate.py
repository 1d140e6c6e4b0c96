"""Write all generated files, or verify that they are up to date.

python -m tools.generate            write changed files, remove stale ones
python -m tools.generate --verify   write nothing; print a diff and exit 1 if a file is stale
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from tools import (
    admission_policy,
    api_reference,
    chart,
    cli_reference,
    crds,
    estimators_reference,
    includes,
    install_manifest,
    metrics_reference,
)

ROOT = Path(__file__).parent.parent
GENERATED_FOLDERS = ("crds", "charts/perennate/crds", "docs/reference")
"""Folders that hold generated files only, except `HANDWRITTEN`: any other file there is stale."""
HANDWRITTEN = ("docs/reference/glossary.md", "docs/reference/serving.md")
"""Files in `GENERATED_FOLDERS` that are edited by hand."""


def outputs(root: Path) -> dict[str, str]:
    """Return the text of every generated file by its path, relative to `root`. Reads sources below `root`."""
    files = crds.files()
    pages = api_reference.files() | metrics_reference.files() | cli_reference.files() | includes.files(root)
    pages |= estimators_reference.files()
    files |= admission_policy.files(root)
    return files | chart.files() | install_manifest.files(root, files) | pages


def stale(root: Path, generated: dict[str, str]) -> list[str]:
    """Return the files in generated folders that are no longer generated."""
    found = (
        path.relative_to(root).as_posix() for folder in GENERATED_FOLDERS for path in sorted((root / folder).glob("*"))
    )
    return [path for path in found if path not in generated and path not in HANDWRITTEN]


def differences(root: Path) -> list[str]:
    """Return a unified diff from the files on disk to the generated ones, as lines; empty if all are up to date."""
    generated = outputs(root)
    lines: list[str] = []
    for path, wanted in sorted(generated.items() | {(path, "") for path in stale(root, generated)}):
        present = (root / path).read_text() if (root / path).is_file() else ""
        diff = difflib.unified_diff(present.splitlines(), wanted.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
        lines += diff
    return lines


def write(root: Path) -> list[str]:
    """Update the files on disk. Return the paths that changed."""
    generated = outputs(root)
    changed: list[str] = []
    for path in stale(root, generated):
        (root / path).unlink()
        changed.append(path)
    for path, text in generated.items():
        target = root / path
        if not target.is_file() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            changed.append(path)
    return changed


def main() -> int:
    """Run the command line. Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.generate", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--verify", action="store_true", help="write nothing; print a diff and exit 1 if a file is stale"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="root of the repository (default: this one)")
    arguments = parser.parse_args()
    if arguments.verify:
        lines = differences(arguments.root)
        print(
            "\n".join([*lines, "", "Generated files are stale: run `make generate` and commit the result."])
            if lines
            else "    up to date"
        )
        return 1 if lines else 0
    for path in write(arguments.root):
        print(f"    {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
