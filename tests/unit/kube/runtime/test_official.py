"""The client's requests, and how it parses responses. Real HTTP on loopback; other tests use a real API server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.connection import ConnectionSettingsError, connect
from perennate.kube.runtime.official import OfficialClient
from perennate.kube.runtime.resources import JOB, POD, SERVICE
from tests.support.world.memory_client import ListRecorder

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, folder: Path, recorder: ListRecorder) -> AsyncIterator[OfficialClient]:
    """Start a server that passes every request to `handler`, and yield a client of it."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{runner.addresses[0][1]}"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {"token": "secret"}}
    document = {"current-context": "x", "clusters": [cluster], "contexts": [context], "users": [user]}
    kubeconfig.write_text(json.dumps(document))
    connection = await connect({"KUBECONFIG": str(kubeconfig)})
    async with OfficialClient(
        connection, resources=RESOURCES, writes=TokenBucket(rate=50, burst=100), recorder=recorder
    ) as client:
        yield client
    await runner.cleanup()


def refusal(code: int, reason: str = "", *, causes: tuple[str, ...] = (), after: str = "") -> Handler:
    """A handler that returns an error as the API server does."""

    async def answer(_: web.Request) -> web.StreamResponse:
        """Return the error."""
        status = {"kind": "Status", "message": "no", "reason": reason}
        details = {"causes": [{"reason": cause} for cause in causes]}
        headers = {"Retry-After": after} if after else {}
        return web.json_response({**status, "details": details}, status=code, headers=headers)

    return answer


async def failure(handler: Handler, folder: Path) -> ApiError:
    """The error of a create request that `handler` serves."""
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "ns"}}
    async with server(handler, folder, ListRecorder()) as client:
        with pytest.raises(ApiError) as error:
            await client.create(manifest)
    return error.value


async def test_a_missing_object_is_none_and_every_call_is_counted(tmp_path: Path) -> None:
    """A 404 is returned as None, not raised; every request is counted in the metrics."""
    recorder = ListRecorder()
    async with server(refusal(404, "NotFound"), tmp_path, recorder) as client:
        assert await client.get(JOB, "ns", "j") is None
    assert recorder.requests == [("GET", 404)]


async def test_an_api_error_keeps_code_causes_and_message(tmp_path: Path) -> None:
    """An ApiError has the code, reason, causes and message of the response."""
    error = await failure(refusal(403, "Forbidden", causes=("NamespaceTerminating",)), tmp_path)
    assert error.code == 403
    assert error.namespace_terminating
    assert str(error) == "POST /api/v1/namespaces/ns/services: 403 no"
    assert (await failure(refusal(409, "AlreadyExists"), tmp_path)).already_exists
    assert not (await failure(refusal(409, "Conflict"), tmp_path)).already_exists


RETRY_AFTER = {"3": 3.0, "86400": 60.0, "-1": 0.0, "Wed, 21 Oct 2026 07:28:00 GMT": 0.0, "nan": 0.0, "soon": 0.0}


@pytest.mark.parametrize("text", RETRY_AFTER)
async def test_retry_after_is_parsed_and_capped(text: str, tmp_path: Path) -> None:
    """Retry-After is capped at a minute; a date or an invalid value is ignored."""
    assert (await failure(refusal(429, "TooManyRequests", after=text), tmp_path)).retry_after == RETRY_AFTER[text]


async def page(_: web.Request) -> web.StreamResponse:
    """Return an HTML error page, as a load balancer does."""
    return web.Response(text="<html>gateway</html>", status=502, content_type="text/html")


async def nonsense(_: web.Request) -> web.StreamResponse:
    """Return a success without a JSON document."""
    return web.Response(text="ok")


async def torn(request: web.Request) -> web.StreamResponse:
    """Return a truncated response."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize(("handler", "code"), [(page, 502), (nonsense, 0), (torn, 0)], ids=["page", "nonsense", "torn"])
async def test_a_response_without_a_document_is_an_api_error(handler: Handler, code: int, tmp_path: Path) -> None:
    """A response from a proxy, or a truncated one, is an ApiError, so that the pass is retried."""
    assert (await failure(handler, tmp_path)).code == code


async def test_a_list_is_read_page_by_page(tmp_path: Path) -> None:
    """A list reads all pages, sends the bearer token, and sets kind and apiVersion, which list items lack."""
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        """Return one of two pages."""
        assert request.headers["Authorization"] == "Bearer secret"
        asked.append(dict(request.query))
        items = [{"metadata": {"name": f"p{len(asked)}", "namespace": "ns"}}]
        more = {"continue": "next"} if len(asked) == 1 else {}
        return web.json_response({"kind": "PodList", "metadata": more, "items": items})

    async with server(answer, tmp_path, ListRecorder()) as client:
        pods = [pod async for pod in client.list(POD, selector="a=b")]
    assert [(pod["kind"], pod["apiVersion"], pod["metadata"]["name"]) for pod in pods] == [
        ("Pod", "v1", "p1"),
        ("Pod", "v1", "p2"),
    ]
    assert asked[1] == {**asked[0], "continue": "next"}
    assert asked[0]["labelSelector"] == "a=b"


async def test_an_apply_sends_field_manager_and_force(tmp_path: Path) -> None:
    """An apply is a PATCH of the given subresource with the field manager and force."""
    seen: list[tuple[str, str, str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        """Return the applied object."""
        seen.append((request.method, request.path, request.content_type, dict(request.query)))
        return web.json_response(await request.json(), status=201)

    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "ns"}}
    async with server(answer, tmp_path, ListRecorder()) as client:
        assert await client.apply(manifest, manager="m", subresource="status") == manifest
    path = "/api/v1/namespaces/ns/services/s/status"
    assert seen == [("PATCH", path, "application/apply-patch+yaml", {"fieldManager": "m", "force": "true"})]


@pytest.mark.parametrize("code", [404, 409])
async def test_deleting_an_absent_object_is_no_error(code: int, tmp_path: Path) -> None:
    """If the object is gone or has another uid, there is nothing left to delete, so no error is raised."""
    async with server(refusal(code), tmp_path, ListRecorder()) as client:
        await client.delete(SERVICE, "ns", "s", uid="u")


async def test_the_error_without_connection_settings_says_what_to_set(tmp_path: Path) -> None:
    """Without a service account and a readable KUBECONFIG, the error names both."""
    for environ in ({}, {"KUBECONFIG": str(tmp_path / "missing")}):
        with pytest.raises(ConnectionSettingsError, match="run in a pod with a service account, or set KUBECONFIG"):
            await connect(environ)
