"""Run calls of a client and report what each returned. It runs in the environment of the clients, without perennate."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any


def settings() -> dict[str, Any]:
    """What the test passes on: the address of the pod, its model and rows."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def report(calls: Mapping[str, Callable[[], Any]]) -> None:
    """Write the result, or the message of the error, of each call as JSON."""
    _write({name: _outcome(call) for name, call in calls.items()})


async def report_async(calls: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
    """As `report`, for coroutines."""
    found = {}
    for name, call in calls.items():
        try:
            found[name] = {"result": await call()}
        # Any error is what the user of the client sees.
        except Exception as error:
            found[name] = {"error": str(error)}
    _write(found)


def _outcome(call: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"result": call()}
    # Any error is what the user of the client sees.
    except Exception as error:
        return {"error": str(error)}


def _write(found: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(found, default=_plain)}\n")


def _plain(value: Any) -> Any:
    """Arrays as lists, and bytes as text."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist()
