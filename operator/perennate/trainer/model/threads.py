"""Threads in training: the same model on every machine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_thread_of_linear_algebra() -> Iterator[None]:
    """Use one thread of BLAS. With two, sums are rounded differently, and a kernel ridge has another digest.

    Forests and boosting have threads of their own, and keep them.
    """
    # Only libraries that are loaded can be limited: numpy and scipy have one each.
    import numpy  # noqa: F401, ICN001, PLC0415
    import scipy.linalg  # noqa: F401, PLC0415
    import threadpoolctl  # type: ignore[import-untyped]  # noqa: PLC0415

    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def repeatable_threads(estimator: Any) -> Iterator[None]:
    """Use one OpenMP thread if a step adds numbers in the order in which its threads finish, as k-means does.

    The sum, and so the digest of the model, would depend on the number of threads. Other estimators keep all threads.
    """
    if not any(_is_kmeans(step) for step in _steps(estimator)):
        yield
        return
    import threadpoolctl  # noqa: PLC0415 - few runs need it

    with threadpoolctl.threadpool_limits(limits=1, user_api="openmp"):
        yield


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]


def _is_kmeans(step: Any) -> bool:
    return type(step).__name__ == "KBinsDiscretizer" and step.strategy == "kmeans"
