"""Free local ports, for servers that need a fixed port at start."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that are free.

    Another process may take a port before it is used, so the caller must check that its server started, and retry with
    other ports if it did not.
    """
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
