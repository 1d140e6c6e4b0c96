"""Large request bodies: a bound on the memory that parsing takes, and a thread for it."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, TypeVar

from perennate.json_memory import most_bytes, parsed_bytes
from perennate.serving.request_error import RequestError

INLINE_BYTES: Final = 512 * 1024
"""A larger body is parsed in a thread, after `check_memory`."""
MAX_PARSED_BYTES: Final = 124 * 1024 * 1024
"""Maximum memory of a parsed body, by the estimate of `parsed_bytes`: enough for 10,000 records of 100 numbers."""
MAX_NAMES: Final = 100_000
"""Maximum number of different field names in a large body: each takes over 100 bytes, and a model has few."""
STRING: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?+', re.DOTALL)
"""A JSON string, and the colon after it if it is the name of a field."""
MIB: Final = 1024 * 1024

Result = TypeVar("Result")


class LargeBodies:
    """A thread that parses large bodies one after another, so that the memory for it is taken only once.

    Small ones are parsed where they are, which is faster.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-body")

    async def parse(self, parser: Callable[[bytes], Result], body: bytes) -> Result:
        """The result of the parser for the body.

        Raises:
            RequestError: the parser raised it.
        """
        if len(body) <= INLINE_BYTES:
            return parser(body)
        return await asyncio.get_running_loop().run_in_executor(self._thread, _without_collection, parser, body)

    async def check(self, text: bytes, size: int) -> None:
        """Check a JSON text before it is parsed.

        Args:
            text: the JSON text.
            size: of the body that it is a part of.

        Raises:
            RequestError: 413, parsing could take too much memory.
        """
        if size > INLINE_BYTES:
            await asyncio.get_running_loop().run_in_executor(self._thread, check_memory, text)


def _without_collection(parser: Callable[[bytes], Result], body: bytes) -> Result:
    """Parse without garbage collection, which would traverse the growing result again and again."""
    gc.disable()
    try:
        return parser(body)
    except RequestError as error:
        # Its traceback would keep the parsed body in memory until the response is sent.
        raise error.with_traceback(None) from None
    finally:
        gc.enable()


def check_memory(text: bytes) -> None:
    """Refuse a JSON text whose objects, lists and field names would take too much memory.

    Raises:
        RequestError: 413, with what is accepted.
    """
    # Counting the characters inside of strings too is fast, and nearly always enough.
    if most_bytes(text) > MAX_PARSED_BYTES:
        found = parsed_bytes(text)
        if found > MAX_PARSED_BYTES:
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"body: its JSON would take about {found // MIB} MiB of memory, at most {MAX_PARSED_BYTES // MIB} MiB "
                "are accepted; send the rows in several requests",
            )
    if text.count(b":") > MAX_NAMES and has_too_many_names(text):
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"body: must have at most {MAX_NAMES:,} different field names; send the fields that the model uses",
        )


def has_too_many_names(text: bytes) -> bool:
    """Whether a JSON text has more than `MAX_NAMES` different field names, before escapes are resolved."""
    names = set()
    for string in STRING.finditer(text):
        if string[2] is not None:
            names.add(string[1])
            if len(names) > MAX_NAMES:
                return True
    return False
