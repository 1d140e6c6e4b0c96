"""kopf for watch streams and the process only: its settings, its login, and its startup and cleanup handlers."""

from __future__ import annotations

import functools
from typing import Any, Final

import aiohttp
import kopf

from perennate.api import wellknown
from perennate.controllers import feeding
from perennate.controllers.operator import Operator
from perennate.controllers.stateless import NoDiffBase, NoProgress
from perennate.kube.intake.feeding_response import feeding_response
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.connection import ConnectionSettingsError
from perennate.kube.runtime.resources import PART_OF_SELECTOR

_CHUNK: Final = 20
"""Objects in one page of kopf's lists. An object may have 1.5 MB; our own lists use larger pages of small objects."""
_EXIT_SECONDS: Final = 25.0
_CONNECT_SECONDS: Final = 10.0


def build_registry(operator: Operator) -> kopf.OperatorRegistry:
    """All handlers, bound to one operator. An import registers nothing."""
    registry = kopf.OperatorRegistry()
    kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(functools.partial(start, operator))
    kopf.on.cleanup(registry=registry)(functools.partial(stop, operator))
    kopf.on.login(registry=registry)(functools.partial(login, operator))
    feeding.register(registry)
    return registry


def build_settings() -> kopf.OperatorSettings:
    """Settings of kopf: no state on objects, no Events, no peering, no scan for resources."""
    settings = kopf.OperatorSettings()
    settings.persistence.finalizer = f"{wellknown.GROUP}/finalizer"
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.watching.chunk_size = _CHUNK
    settings.networking.connect_timeout = _CONNECT_SECONDS
    settings.process.ultimate_exiting_timeout = _EXIT_SECONDS
    for resource in RESOURCES.secondary.values():
        settings.watching.label_selectors[resource.group, resource.version, resource.plural] = PART_OF_SELECTOR
    return settings


async def start(operator: Operator, /, **_: Any) -> None:
    """Start the operator before the first event arrives. A failure ends the process."""
    try:
        await operator.start()
    except (ApiError, ConnectionSettingsError) as error:
        raise kopf.PermanentError(str(error)) from error


async def stop(operator: Operator, /, **_: Any) -> None:
    """Stop the operator."""
    await operator.stop()


async def login(operator: Operator, /, **_: Any) -> kopf.AiohttpSession:
    """A session with our credentials and the hooks that observe watches; called again when a token has expired."""
    if operator.connection is None:
        raise kopf.TemporaryError("not connected yet", delay=1)
    session: aiohttp.ClientSession = operator.connection.open_session(
        headers=await operator.connection.headers(),
        traces=[operator.watches.trace()],
        middlewares=[operator.forbidden_watches],
        limit=0,
        response_class=feeding_response(functools.partial(feeding.feed, operator)),
    )
    return kopf.AiohttpSession(server=operator.connection.server, aiohttp_session=session)
