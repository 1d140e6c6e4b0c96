"""Which packages need which, by the metadata of the installed packages."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.supply_chain.locks import IMAGE_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable


def graph(roots: Iterable[Requirement]) -> dict[str, set[str]]:
    """The packages that the roots need, directly or not, each with the packages that it needs itself.

    An extra, as in `uvicorn[standard]`, counts for the package that it belongs to.
    """
    needed: dict[str, set[str]] = {}
    pending = [(canonicalize_name(root.name), extra) for root in roots for extra in ("", *root.extras)]
    seen = set(pending)
    while pending:
        name, extra = pending.pop()
        found = needed.setdefault(name, set())
        for requirement in _requires(name, extra):
            found.add(canonicalize_name(requirement.name))
            for next_extra in ("", *requirement.extras):
                step = (canonicalize_name(requirement.name), next_extra)
                if step not in seen:
                    seen.add(step)
                    pending.append(step)
    return needed


def applies(requirement: Requirement, extra: str = "") -> bool:
    """Whether an image needs the requirement, if the extra was asked for."""
    return requirement.marker is None or requirement.marker.evaluate({**IMAGE_ENVIRONMENT, "extra": extra})


def _requires(name: str, extra: str) -> list[Requirement]:
    requirements = [Requirement(line) for line in metadata.requires(name) or []]
    return [requirement for requirement in requirements if applies(requirement, extra)]
