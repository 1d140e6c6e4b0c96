"""`python3 -m tests.kind -- COMMAND`: run a command with a private Docker engine and a node image for kind."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.kind import session
from tests.kind.engine.requirements import EngineUnavailable
from tests.kind.node import programs
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

#: EX_TEMPFAIL of sysexits(3): the project is fine, but this machine cannot run an engine.
UNAVAILABLE = 75
#: Seconds between the request to end and SIGKILL.
_PATIENCE = 30
_EXPLANATION = """\
The command gets DOCKER_HOST, DOCKER_CONFIG, a PATH with the fitting docker client, KIND_NODE_IMAGE (for kind create
cluster --image), PERENNATE_BASE_IMAGE (stands for python:3.11-slim-bookworm) and PROVIDER=kind. At the end the engine,
its containers and all that they changed on this machine are gone; images stay in the cache for the next run. The exit
code is the command's; 1 if something was left behind; 75 (0 with --optional) if this machine can run no engine.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.kind", description=__doc__, epilog=_EXPLANATION)
    parser.add_argument(
        "--kubernetes",
        default=programs.KUBERNETES,
        metavar="VERSION",
        help="version that the node reports; the programs are the same (default: %(default)s)",
    )
    parser.add_argument(
        "--optional", action="store_true", help="exit with 0 if this machine can run no engine; the line says why"
    )
    parser.add_argument("command", nargs="+", help="program and arguments")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with session.engine(options.kubernetes) as found:
            code = run(options.command, found.environment)
    except EngineUnavailable as error:
        echo(f"not run: {' '.join(options.command)}: {error}")
        return 0 if options.optional else UNAVAILABLE
    except ClusterError as error:
        echo(str(error))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


def _end(number: int, _: FrameType | None) -> None:
    """Turn a signal into an exception, so that everything is cleaned up on the way out.

    Raises:
        SystemExit: always, with the code that a shell gives.
    """
    raise SystemExit(128 + number)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `command` to its end and return its exit code, as a shell counts it.

    Raises:
        ClusterError: there is no such program.
    """
    echo(f"running {' '.join(command)}")
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise ClusterError(f"Cannot run {command[0]!r}: {error.strerror}.") from error
    try:
        code = process.wait()
    except BaseException:
        # Ctrl-C in a terminal has reached the command too; a signal to this process alone has not.
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
