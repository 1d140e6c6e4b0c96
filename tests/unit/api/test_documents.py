"""Documents that pods exchange: one byte form, one digest, no silent change."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from perennate.api.documents.canonical import canonical_json, digest_document, short_version
from perennate.api.documents.document import Document, InvalidDocumentError
from perennate.api.documents.model_manifest import ModelManifest, version_uri
from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_request import RunRequest
from perennate.api.documents.run_spec import RunSpec
from perennate.api.documents.serving_config import ServingConfig
from perennate.api.documents.stage_result import RESULT_LIMIT, RunError, StageResult

DIGEST = "sha256:" + "ab" * 32
MANIFEST = {
    "schema": "perennate.dev/manifest/v1",
    "model": "rain",
    "task": "classification",
    "estimator": "sklearn.linear_model.LogisticRegression",
    "features": [{"name": "TEMP", "type": "number"}],
    "target": "rain",
    "classes": ["0", "1"],
    "files": [{"path": "model.skops", "digest": DIGEST, "size": 10}],
    "profileDigest": DIGEST,
    "fingerprint": DIGEST,
    "environment": {"python": "3.11.7"},
}


def test_the_canonical_form_has_one_spelling() -> None:
    """Digests are compared between pods: order, spaces and escapes must not matter."""
    assert (
        canonical_json({"b": [1, 2.5], "a": "ä"})
        == canonical_json({"a": "ä", "b": [1, 2.5]})
        == b'{"a":"\xc3\xa4","b":[1,2.5]}'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_json_has_no_canonical_form(number: float) -> None:
    """NaN is no JSON value: the API server would refuse the document for ever."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"value": number})


def test_a_digest_is_that_of_the_bytes() -> None:
    """The digest can be checked with sha256sum: this one is that of the two bytes `{}`."""
    assert digest_document({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_version_is_the_digest_of_its_manifest() -> None:
    """Reading a manifest back gives the same version; any change of content gives another."""
    manifest = ModelManifest.model_validate(MANIFEST)
    assert ModelManifest.model_validate(manifest.to_document()).digest == manifest.digest
    assert ModelManifest.model_validate({**MANIFEST, "target": "snow"}).digest != manifest.digest


def test_people_see_twelve_digits() -> None:
    """The short form, and the address that can be pinned."""
    assert short_version(DIGEST) == "abababababab"
    assert version_uri("rain", DIGEST) == f"store://rain/versions/{'ab' * 32}"


@pytest.mark.parametrize("document", [RunRequest, RunRecord, StageResult, ServingConfig, ModelManifest])
def test_a_future_version_of_a_format_is_refused_by_its_version(document: type[Document]) -> None:
    """Its other fields may have changed: the message names the version, not a field that looks wrong."""
    known = document.format_version()
    future = known.replace("/v1", "/v2")
    with pytest.raises(InvalidDocumentError) as refused:
        document.read(canonical_json({"schema": future, "unheardOf": 1}))
    assert str(refused.value) == f"schema: must be '{known}', got '{future}'; read it with the release that wrote it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "document: Invalid JSON"),
        (b"[]", "document: Input should be an object"),
        (canonical_json({**MANIFEST, "task": "guess"}), "task: Input should be .*, got 'guess'"),
        (canonical_json({**MANIFEST, "surprise": 1}), "surprise: Extra inputs are not permitted, got 1"),
    ],
)
def test_a_document_with_an_error_names_the_field_and_the_value(content: bytes, message: str) -> None:
    with pytest.raises(InvalidDocumentError, match=f"^{message}"):
        ModelManifest.read(content)


def test_a_run_request_of_the_first_release_is_read() -> None:
    """It held fields of the TrainingJob that no stage reads; they are ignored, any other unknown field is refused."""
    spec = {
        "model": {"name": "rain"},
        "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression"}},
        "data": {"train": {"uri": "pvc://rows/rain.csv"}, "target": "rain"},
    }
    unused = {
        "resources": {"limits": {"memory": "1Gi"}},
        "suspend": True,
        "backoffLimit": 5,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 0,
    }
    request = {"namespace": "n", "trainingJob": "t", "uid": "u", "spec": {**spec, **unused}}
    assert RunRequest.read(canonical_json(request)).spec == RunSpec.model_validate(spec)
    with pytest.raises(InvalidDocumentError, match=r"^spec\.parallelism: "):
        RunRequest.read(canonical_json({**request, "spec": {**spec, "parallelism": 2}}))


def test_an_error_fits_into_a_termination_message() -> None:
    """Kubernetes keeps 4,096 bytes: the longest error of ASCII text must arrive whole."""
    error = RunError(reason="R" * 64, message="m" * 1024)
    document = StageResult(stage="prepare", error=error, fingerprint=DIGEST).to_document()
    assert len(canonical_json(document)) <= RESULT_LIMIT
    assert StageResult.model_validate(document).error == error


@pytest.mark.parametrize(("field", "value"), [("samplingRatio", 1.5), ("flushSeconds", 0), ("retentionSeconds", -1)])
def test_a_serving_pod_refuses_a_capture_that_makes_no_sense(field: str, value: float) -> None:
    """A pod stops at its configuration and not at the first request."""
    capture = {"samplingRatio": 0.5, "flushSeconds": 60, "retentionSeconds": 60, field: value}
    document = {"namespace": "n", "modelDeployment": "d", "model": "m", "digest": DIGEST, "capture": capture}
    with pytest.raises(ValidationError, match=field):
        ServingConfig.model_validate(document)
