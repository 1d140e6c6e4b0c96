"""Connects to the API server with the pod's service account or KUBECONFIG."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)

USER_AGENT = "perennate-operator"
_CONNECTIONS = 32


class ConnectionSettingsError(Exception):
    """No API server is configured, or its configuration cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Connection:
    """An API server and our credentials. A renewed token is read from its file again."""

    api: ApiClient

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self.api.configuration.host)

    async def headers(self) -> dict[str, str]:
        """Headers with our user agent and the current token."""
        headers = {"User-Agent": USER_AGENT}
        await self.api.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return {name.title(): value for name, value in headers.items()}

    def open_session(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        traces: list[aiohttp.TraceConfig] | None = None,
        middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
        limit: int = _CONNECTIONS,
        response_class: type[aiohttp.ClientResponse] = aiohttp.ClientResponse,
    ) -> aiohttp.ClientSession:
        """A session with our TLS identity and at most `limit` connections; 0 is no limit."""
        connector = aiohttp.TCPConnector(ssl=self.api.rest_client.ssl_context, limit=limit)
        return aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            trace_configs=traces,
            middlewares=middlewares,
            read_bufsize=2**21,
            auto_decompress=True,
            response_class=response_class,
        )


async def connect(environ: Mapping[str, str]) -> Connection:
    """Connect with KUBECONFIG if it is set, else with the service account of the pod.

    Raises:
        ConnectionSettingsError: neither can be used.
    """
    configuration = Configuration()
    try:
        if environ.get("KUBECONFIG"):
            await _check_file(environ["KUBECONFIG"])
            await load_kube_config(
                config_file=environ["KUBECONFIG"], client_configuration=configuration, persist_config=False
            )
        else:
            loader = InClusterConfigLoader(
                token_filename=SERVICE_TOKEN_FILENAME, cert_filename=SERVICE_CERT_FILENAME, environ=dict(environ)
            )
            loader.load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise ConnectionSettingsError(
            f"no usable API server: {error}; run in a pod with a service account, or set KUBECONFIG to a readable file"
        ) from error
    return Connection(ApiClient(configuration))


async def _check_file(path: str) -> None:
    """Read the file, so that the error names a missing one: the library ignores it."""
    await asyncio.to_thread(Path(path.split(":", maxsplit=1)[0]).read_bytes)
