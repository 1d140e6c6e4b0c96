"""An event loop with a fake clock that jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """A selector that never sleeps: it advances the fake clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("all tasks wait and no timer is set, so the test would hang")
            self.now += timeout
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on the fake clock."""

    def __init__(self) -> None:
        self.fake = _Selector()
        super().__init__(self.fake)

    def time(self) -> float:
        """Seconds of the fake clock."""
        return self.fake.now

    def run_in_executor(self, _: Any, work: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Do the work of a thread at once: it takes no time on the fake clock."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(work(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the fake clock."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(work)


def now() -> float:
    """The fake clock of the running loop."""
    return asyncio.get_running_loop().time()
