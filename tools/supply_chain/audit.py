"""Look up every locked package in the database of known vulnerabilities, with pip-audit.

`python -m tools.supply_chain.audit` exits with 0 only if every package was looked up and none is vulnerable, with 1 if
one is, and with 2 if packages could not be looked up. pip-audit itself exits with 0 in the last case.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from tools.locked_environment import LockedEnvironment

REQUIREMENTS: Final = Path(__file__).resolve().parents[2] / "requirements"
LOCK: Final = REQUIREMENTS / "dev.txt"
"""The development environment contains the packages of every image."""
TIMEOUT_SECONDS: Final = 600
SHOWN: Final = 5


class ExitCode(IntEnum):
    """Exit codes of the audit."""

    CLEAN = 0
    VULNERABLE = 1
    NOT_AUDITED = 2


@dataclass
class Audit:
    """What pip-audit found.

    Args:
        audited: number of packages that were looked up.
        vulnerable: each vulnerability, as `package version: id, fixed in versions`.
        skipped: packages that were not looked up.
        error: why pip-audit gave no result at all.
    """

    audited: int = 0
    vulnerable: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    error: str = ""

    def exit_code(self) -> ExitCode:
        """The exit code: a vulnerability counts more than a package that was not looked up."""
        if self.vulnerable:
            return ExitCode.VULNERABLE
        return ExitCode.NOT_AUDITED if self.skipped or self.error or not self.audited else ExitCode.CLEAN

    def lines(self) -> list[str]:
        """The result in words."""
        found = [f"VULNERABLE {line}" for line in self.vulnerable]
        if self.error:
            found.append(f"NOT AUDITED: {self.error}")
        if self.skipped:
            names = ", ".join(self.skipped[:SHOWN]) + (", ..." if len(self.skipped) > SHOWN else "")
            found.append(f"NOT AUDITED: the database does not have {len(self.skipped)} packages: {names}")
        return [*found, f"{self.audited} packages looked up, {len(self.vulnerable)} vulnerabilities"]


def read(output: str) -> Audit:
    """Read the JSON output of pip-audit.

    Raises:
        ValueError: it is not the output of pip-audit.
    """
    result = Audit()
    for package in json.loads(output)["dependencies"]:
        if "skip_reason" in package:
            result.skipped.append(package["name"])
            continue
        result.audited += 1
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            result.vulnerable.append(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    return result


def run(arguments: list[str], *, lock: Path = LOCK) -> Audit:
    """Run pip-audit on a lock, with further arguments for it."""
    python = LockedEnvironment("pip-audit", REQUIREMENTS / "audit.txt").python()
    command = [str(python), "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", *arguments]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return Audit(error=f"no answer within {TIMEOUT_SECONDS} s")
    try:
        return read(done.stdout)
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return Audit(error=f"pip-audit ended with {done.returncode}: {last}")


def main(arguments: list[str], *, lock: Path = LOCK) -> int:
    """Print the result and return the exit code. Further arguments are passed on to pip-audit."""
    parser = argparse.ArgumentParser(
        description="Look up every locked package in the database of known vulnerabilities."
    )
    parser.add_argument(
        "--allow-unreachable", action="store_true", help="exit with 0 if packages could not be looked up, and say so"
    )
    options, rest = parser.parse_known_args(arguments)
    found = run(rest, lock=lock)
    print("\n".join(found.lines()))
    code = found.exit_code()
    return ExitCode.CLEAN if code == ExitCode.NOT_AUDITED and options.allow_unreachable else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
