"""Free ports that no other test process can take."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: Below the ephemeral ports of Linux (32768 and above), so that no outgoing connection uses one.
_PORTS = range(20_000, 32_000)
_reserved: list[IO[str]] = []


def reserve_port() -> int:
    """A free port of 127.0.0.1, reserved among all test processes of this machine until this process ends.

    Raises:
        OSError: every port is taken.
    """
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        file = _lock_file(port)
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.create_server(("127.0.0.1", port)):
                _reserved.append(file)
                return port
        file.close()
    raise OSError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free")


@contextlib.contextmanager
def hold_port(port: int) -> Iterator[None]:
    """Wait until no other test process uses the port, and reserve it for this block."""
    with _lock_file(port) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_file(port: int) -> IO[str]:
    folder = Path(tempfile.gettempdir()) / f"perennate-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return (folder / str(port)).open("w")
