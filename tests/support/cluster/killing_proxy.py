"""A proxy for the API server that kills its client after each write.

The write is committed but not answered, so the client does not learn about it. A crash before a write equals a crash
after the previous write, so these are all possible crash points.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

from tests.support.cluster.kube_user import tls_of

_HOP = {"Host", "Connection", "Transfer-Encoding", "Content-Length", "Content-Encoding", "Accept-Encoding"}


@dataclass
class KillingProxy:
    """Forwards to the API server of `kubeconfig`, as its user. Use as a context manager.

    Attributes:
        kubeconfig: of the API server, with embedded certificates.
        folder: gets the kubeconfig of the proxy.
        kill: called after a write is committed and before it is answered, unless None.
        writes: all writes but those of Leases, as "METHOD /path", in order.
    """

    kubeconfig: Path
    folder: Path
    kill: Callable[[], None] | None = None
    writes: list[str] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, init=False)
    _port: int = field(default=0, init=False)

    @property
    def own_kubeconfig(self) -> Path:
        """A kubeconfig of the proxy."""
        return self.folder / "proxy.kubeconfig"

    def __enter__(self) -> Self:
        """Listen in a separate thread."""
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="proxy", daemon=True)
        self._thread.start()
        assert started.wait(10)
        cluster = {"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{self._port}"}}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "clusters": [cluster],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
        }
        self.own_kubeconfig.write_text(json.dumps(document))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        started.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        document = json.loads(self.kubeconfig.read_text())
        self._server = document["clusters"][0]["cluster"]["server"]
        connector = aiohttp.TCPConnector(ssl=tls_of(document), limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        # First, so that every connection to the API server is awaited, also those of forwarded watches.
        await self._session.close()
        await self._runner.cleanup()
        # The watch of a client that was killed is no longer known to the runner.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.title() not in _HOP}
        counted = request.method != "GET" and "/leases" not in request.path
        async with self._session.request(
            request.method,
            self._server + request.raw_path,
            headers={**headers, "Accept-Encoding": "identity"},
            data=await request.read() if request.can_read_body else None,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer:
            if counted:
                content = await answer.read()
                self.writes.append(f"{request.method} {request.path} {answer.status}")
                if self.kill is not None:
                    self.kill()
                return web.Response(status=answer.status, body=content, content_type=answer.content_type)
            return await self._stream(request, answer)

    async def _stream(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Forward a response as it arrives, because a watch has no end."""
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
        with contextlib.suppress(ConnectionResetError):  # The client was killed.
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        return response
