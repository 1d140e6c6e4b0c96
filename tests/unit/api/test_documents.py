"""Documents that pods exchange: canonical bytes, digests, and errors for documents that cannot be read."""

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


def test_canonical_json_does_not_depend_on_key_order_or_escapes() -> None:
    """Pods compare digests, so key order, whitespace and escapes must not change the bytes."""
    assert (
        canonical_json({"b": [1, 2.5], "a": "ä"})
        == canonical_json({"a": "ä", "b": [1, 2.5]})
        == b'{"a":"\xc3\xa4","b":[1,2.5]}'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_canonical_json_rejects_numbers_that_are_not_finite(number: float) -> None:
    """JSON has no NaN or infinity: the API server would reject every write of the document."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"value": number})


def test_a_digest_is_the_sha256_of_the_canonical_bytes() -> None:
    """`sha256sum` can check the digest: this is the SHA-256 of the two bytes `{}`."""
    assert digest_document({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_version_is_the_digest_of_its_manifest() -> None:
    """A manifest that is written and read again has the same digest; any change of content changes it."""
    manifest = ModelManifest.model_validate(MANIFEST)
    assert ModelManifest.model_validate(manifest.to_document()).digest == manifest.digest
    assert ModelManifest.model_validate({**MANIFEST, "target": "snow"}).digest != manifest.digest


def test_short_version_has_twelve_digits() -> None:
    """The short form has twelve digits; the URI, which a ModelDeployment can pin, has the whole digest."""
    assert short_version(DIGEST) == "abababababab"
    assert version_uri("rain", DIGEST) == f"store://rain/versions/{'ab' * 32}"


@pytest.mark.parametrize("document", [RunRequest, RunRecord, StageResult, ServingConfig, ModelManifest])
def test_a_document_of_a_newer_format_is_rejected_by_its_version(document: type[Document]) -> None:
    """The version is checked first, because a newer format may have other fields: the error names the version."""
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
def test_the_error_for_an_invalid_document_names_field_and_value(content: bytes, message: str) -> None:
    with pytest.raises(InvalidDocumentError, match=f"^{message}"):
        ModelManifest.read(content)


def test_a_run_request_of_the_first_release_is_read() -> None:
    """The first release wrote fields that no stage reads: those are ignored, any other unknown field is an error."""
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
    """Kubernetes keeps 4,096 bytes of a termination message: the longest ASCII error must fit without truncation."""
    error = RunError(reason="R" * 64, message="m" * 1024)
    document = StageResult(stage="prepare", error=error, fingerprint=DIGEST).to_document()
    assert len(canonical_json(document)) <= RESULT_LIMIT
    assert StageResult.model_validate(document).error == error


@pytest.mark.parametrize(("field", "value"), [("samplingRatio", 1.5), ("flushSeconds", 0), ("retentionSeconds", -1)])
def test_invalid_capture_settings_are_rejected(field: str, value: float) -> None:
    """A wrong capture setting fails when the pod starts, not at the first request."""
    capture = {"samplingRatio": 0.5, "flushSeconds": 60, "retentionSeconds": 60, field: value}
    document = {"namespace": "n", "modelDeployment": "d", "model": "m", "digest": DIGEST, "capture": capture}
    with pytest.raises(ValidationError, match=field):
        ServingConfig.model_validate(document)
