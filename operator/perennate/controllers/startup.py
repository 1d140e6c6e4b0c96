"""kopf, as informer and process skeleton only: its settings, its login, and what happens at start and end."""

from __future__ import annotations

import functools
from typing import Any, Final

import aiohttp
import kopf

from perennate.api import wellknown
from perennate.controllers import feeding
from perennate.controllers.runtime import Runtime
from perennate.controllers.stateless import NoDiffBase, NoProgress
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.connection import ConnectionSettingsError
from perennate.kube.runtime.resources import PART_OF_SELECTOR

_CHUNK: Final = 500
_EXIT_SECONDS: Final = 25.0
_CONNECT_SECONDS: Final = 10.0


def build_registry(runtime: Runtime) -> kopf.OperatorRegistry:
    """All handlers, bound to one runtime. Nothing is registered by importing."""
    registry = kopf.OperatorRegistry()
    kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(functools.partial(start, runtime))
    kopf.on.cleanup(registry=registry)(functools.partial(stop, runtime))
    kopf.on.login(registry=registry)(functools.partial(login, runtime))
    feeding.register(registry, runtime)
    return registry


def build_settings() -> kopf.OperatorSettings:
    """Kopf's settings: no state on objects, no Events, no peering, no scanning for kinds."""
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


async def start(runtime: Runtime, /, **_: Any) -> None:
    """Fill the cache and start working, before the first event arrives. What cannot work ends the process."""
    try:
        await runtime.start()
    except (ApiError, ConnectionSettingsError) as error:
        raise kopf.PermanentError(str(error)) from error


async def stop(runtime: Runtime, /, **_: Any) -> None:
    """Let running passes end and close the connections."""
    await runtime.stop()


async def login(runtime: Runtime, /, **_: Any) -> kopf.AiohttpSession:
    """A session with our credentials whose watches we can see; asked for again when a token has expired."""
    if runtime.connection is None:
        raise kopf.TemporaryError("not connected yet", delay=1)
    session: aiohttp.ClientSession = runtime.connection.open_session(
        headers=await runtime.connection.headers(), traces=[runtime.watches.trace()], limit=0
    )
    return kopf.AiohttpSession(server=runtime.connection.server, aiohttp_session=session)
