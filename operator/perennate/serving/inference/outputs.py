"""The outputs of the model, and the response to an inference request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from starlette.responses import Response

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.capture.headers import answer_headers
from perennate.serving.inference.datatypes import DATATYPES
from perennate.serving.inference.infer_request import HEADER, RequestedOutput
from perennate.serving.inference.tensors import SIZE
from perennate.serving.model.field_names import quoted
from perennate.serving.request_error import BINARY, JSON, unprocessable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perennate.serving.capture.predictor import Answer
    from perennate.serving.inference.datatypes import Datatype
    from perennate.serving.inference.infer_request import InferRequest
    from perennate.serving.model.model import ServedModel


@dataclass(frozen=True)
class Output:
    """One output of a model.

    Args:
        name: its name.
        datatype: its datatype.
        width: size of the second dimension; None if it has only rows.
    """

    name: str
    datatype: Datatype
    width: int | None = None

    @property
    def shape(self) -> list[int]:
        """The shape in the metadata, with -1 for the rows."""
        return [-1] if self.width is None else [-1, self.width]


def model_outputs(model: ServedModel) -> tuple[Output, ...]:
    """All outputs of a model, in the order of a response."""
    predictions = Output("predictions", DATATYPES[_prediction_datatype(model)])
    ids = Output("ids", DATATYPES["BYTES"])
    if not model.has_probabilities:
        return predictions, ids
    return predictions, Output("probabilities", DATATYPES["FP64"], len(model.classes)), ids


def select_outputs(request: InferRequest, outputs: Sequence[Output]) -> list[tuple[Output, bool]]:
    """The outputs that a request wants, each with whether its data is bytes.

    Raises:
        RequestError: the model has no such output, or one is requested twice.
    """
    known = {output.name: output for output in outputs}
    selected: dict[str, tuple[Output, bool]] = {}
    for requested in request.outputs or (RequestedOutput("", name, request.binary) for name in known):
        if requested.name not in known:
            raise unprocessable(
                f"{requested.path}.name: must be one of {', '.join(known)}, got {quoted(requested.name)}"
            )
        if requested.name in selected:
            raise unprocessable(f"{requested.path}.name: {quoted(requested.name)} is requested twice")
        selected[requested.name] = (known[requested.name], requested.binary)
    return list(selected.values())


def infer_response(
    model: ServedModel, answer: Answer, identifier: str | None, selected: Sequence[tuple[Output, bool]]
) -> Response:
    """The response of `infer`. JSON has null for a number that is not finite."""
    values: dict[str, npt.NDArray[Any]] = {
        "predictions": answer.prediction.predictions,
        "ids": np.array(answer.ids, dtype=object),
    }
    if answer.prediction.probabilities is not None:
        values["probabilities"] = answer.prediction.probabilities
    tensors: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for output, binary in selected:
        found = values[output.name]
        tensor = {"name": output.name, "datatype": output.datatype.name, "shape": [len(answer.ids), *output.shape[1:]]}
        if binary:
            parts.append(output.datatype.to_bytes(found))
            tensors.append({**tensor, "parameters": {SIZE: len(parts[-1])}})
        else:
            tensors.append({**tensor, "data": _json_data(found)})
    document = {"model_name": model.manifest.model, "model_version": model.digest, "outputs": tensors}
    if identifier is not None:
        document["id"] = identifier
    return _response(
        orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), parts, answer_headers(model, answer.ids)
    )


def _response(document: bytes, parts: Sequence[bytes], headers: dict[str, str]) -> Response:
    if not parts:
        return Response(document, headers=headers, media_type=JSON)
    return Response(b"".join((document, *parts)), headers={**headers, HEADER: str(len(document))}, media_type=BINARY)


def _json_data(values: npt.NDArray[Any]) -> Any:
    """The values in row-major order, in a form that orjson writes."""
    if values.dtype.kind == "f" and values.dtype.isnative:
        return np.ascontiguousarray(values).ravel()
    return values.ravel().tolist()


def _prediction_datatype(model: ServedModel) -> str:
    if model.manifest.task == "classification" and all(type(value) is int for value in model.classes):
        return "INT64"
    return "FP64" if model.manifest.task == "regression" else FEATURE_TYPES[model.manifest.class_type].datatype
