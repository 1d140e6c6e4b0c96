"""Write every generated file, or prove that each is fresh.

python -m tools.generate            write what changed, remove what is no longer generated
python -m tools.generate --verify   write nothing; print the differences and exit 1 if there are any
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from tools import chart, command, crds, includes, install, metrics, reference

ROOT = Path(__file__).parent.parent
OWNED = ("crds", "charts/perennate/crds", "docs/reference")
"""Folders that hold generated files only, except `HANDWRITTEN`: any other file there is stale."""
HANDWRITTEN = ("docs/reference/glossary.md",)
"""Files in `OWNED` that are edited by hand."""


def outputs(root: Path) -> dict[str, str]:
    """Path (from the root, with slashes) and text of every generated file. Reads hand-written files below the root."""
    files = crds.files()
    pages = reference.files() | metrics.files() | command.files() | includes.files(root)
    return files | chart.files() | install.files(root, files) | pages


def stale(root: Path, generated: dict[str, str]) -> list[str]:
    """Files in our own folders that nothing generates any more."""
    found = (path.relative_to(root).as_posix() for folder in OWNED for path in sorted((root / folder).glob("*")))
    return [path for path in found if path not in generated and path not in HANDWRITTEN]


def differences(root: Path) -> list[str]:
    """Lines of a unified diff from the files on disk to what would be generated; empty when all is fresh."""
    generated = outputs(root)
    lines: list[str] = []
    for path, wanted in sorted(generated.items() | {(path, "") for path in stale(root, generated)}):
        present = (root / path).read_text() if (root / path).is_file() else ""
        diff = difflib.unified_diff(present.splitlines(), wanted.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
        lines += diff
    return lines


def write(root: Path) -> list[str]:
    """Bring the files on disk up to date; returns the paths that changed."""
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
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.generate", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--verify", action="store_true", help="write nothing; exit 1 with the differences")
    parser.add_argument("--root", type=Path, default=ROOT, help="repository to work on (default: this one)")
    arguments = parser.parse_args()
    if arguments.verify:
        lines = differences(arguments.root)
        print(
            "\n".join([*lines, "", "Generated files are stale: run `make generate` and commit the result."])
            if lines
            else "    fresh"
        )
        return 1 if lines else 0
    for path in write(arguments.root):
        print(f"    {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
