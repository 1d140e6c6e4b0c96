"""Documents that pods exchange: one byte form, one digest, no silent change."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from perennate.api.documents import model_manifest
from perennate.api.documents.canonical import canonical_json, digest_document, short_version
from perennate.api.documents.model_manifest import ModelManifest, version_uri
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
    "files": [{"path": model_manifest.MODEL_FILE, "digest": DIGEST, "size": 10}],
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


def test_a_manifest_of_another_schema_is_refused() -> None:
    """A document of a future version is not read as if it were this one."""
    with pytest.raises(ValidationError, match=r"perennate\.dev/manifest/v1"):
        ModelManifest.model_validate({**MANIFEST, "schema": "perennate.dev/manifest/v2"})


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
