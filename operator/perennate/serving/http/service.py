"""The BentoML service: `/predict` is its API, the other routes are an application mounted beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bentoml
import orjson
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from perennate.serving.http.answers import PredictAnswer, PredictRequest, predict_response, read_records
from perennate.serving.http.page import render_page
from perennate.serving.inference.routes import InferenceProtocol
from perennate.serving.openapi.document import bentoml_schema, openapi_document
from perennate.serving.request_error import JSON, RequestError, read_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from perennate.serving.capture.feedback import Feedback
    from perennate.serving.capture.predictor import Predictor
    from perennate.serving.capture.token import FeedbackToken
    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.model.schema import Batch
    from perennate.serving.port.large_bodies import LargeBodies

TIMEOUT_SECONDS: Final = 10.0
"""A request that takes longer gets 504. BentoML keeps a timer for each request that long, so it is short."""


def create_app(
    predictor: Predictor,
    feedback: Feedback,
    lifecycle: Lifecycle,
    large: LargeBodies,
    token: FeedbackToken | None = None,
) -> Starlette:
    """The application of the traffic port, which BentoML creates from the service of one model.

    Args:
        predictor: answers predictions.
        feedback: takes labels.
        lifecycle: the phase of the pod.
        large: parses large bodies.
        token: protects `/feedback`; None: it is open.
    """
    service = create_service(predictor, feedback, lifecycle, large, token)
    app: Starlette = service.to_asgi()
    # BentoML's own schema leaves out null and the limits, and its route comes before those of mounted applications.
    schema = orjson.dumps(bentoml_schema(predictor.model, service.schema()))
    app.router.routes.insert(0, Route("/schema.json", _json_page(schema)))
    return app


def create_service(
    predictor: Predictor,
    feedback: Feedback,
    lifecycle: Lifecycle,
    large: LargeBodies,
    token: FeedbackToken | None = None,
) -> Any:
    """The BentoML service of one loaded model.

    BentoML's metrics, access log and tracing are disabled: `metrics` replaces the metrics, and tracing without a
    collector costs more than the rest of a request.
    """

    def read_batch(body: bytes) -> Batch:
        return predictor.model.schema.read(read_records(body))

    async def predict(self: object, records: bytes) -> Response:
        """Predict one or more records."""
        del self
        try:
            batch = await large.parse(read_batch, records)
            return predict_response(predictor.model, await predictor.answer(batch))
        except RequestError as error:
            return error.response()

    def is_ready(self: object) -> bool:
        del self
        return lifecycle.is_ready

    api = bentoml.api(route="/predict", input_spec=PredictRequest, output_spec=PredictAnswer)
    service_class = type(
        "ModelService", (), {"predict": api(predict), "__is_ready__": is_ready, "__doc__": "One model."}
    )
    service = bentoml.service(
        service_class,
        name="perennate",
        workers=1,
        traffic={"timeout": TIMEOUT_SECONDS, "max_concurrency": None},
        metrics={"enabled": False},
        logging={"access": {"enabled": False}},
        tracing={"excluded_urls": ".*"},
    )
    service.mount_asgi_app(Starlette(routes=_routes(predictor, feedback, lifecycle, large, token)))
    return service


def _routes(
    predictor: Predictor, feedback: Feedback, lifecycle: Lifecycle, large: LargeBodies, token: FeedbackToken | None
) -> list[BaseRoute]:
    page = render_page(predictor.model)
    document = orjson.dumps(openapi_document(predictor.model, has_token=token is not None))

    async def index(request: Request) -> Response:
        del request
        return HTMLResponse(page)

    async def accept_feedback(request: Request) -> Response:
        try:
            if token is not None:
                token.check(request.headers.get("authorization"))
            receipt = feedback.accept(await large.parse(read_json, await request.body()))
        except RequestError as error:
            return error.response()
        return Response(orjson.dumps(receipt.document()), media_type=JSON)

    return [
        Route("/", index),
        Route("/docs.json", _json_page(document)),
        Route("/feedback", accept_feedback, methods=["POST"]),
        *InferenceProtocol(predictor, lifecycle, large).routes(),
    ]


def _json_page(body: bytes) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose response is always the same."""

    async def page(request: Request) -> Response:
        del request
        return Response(body, media_type=JSON)

    return page
