"""Free local ports for servers that must be told their port before they start."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that nobody listened on just now.

    All are held open until all are found, so they differ. Another process may take one before it is used: who starts a
    server on one must look whether it came up, and try again with others.
    """
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
