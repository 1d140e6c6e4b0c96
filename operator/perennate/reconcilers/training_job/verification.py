"""Whether the results of the stages agree with each other and with the spec, before a version counts as published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import short_version
from perennate.api.documents.model_manifest import version_uri
from perennate.api.wellknown import STAGE_PREPARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perennate.api.documents.stage_result import PublishedVersion, StageResult
    from perennate.api.v1alpha1 import TrainingJob

ANCHOR: Final = "Anchor"
"""`source` of the gate on the rows of the anchor."""
SAME_RELEASE: Final = "use the trainer image of the operator's release"


def contradiction(
    resource: TrainingJob, version: PublishedVersion, published: StageResult, results: Mapping[str, StageResult]
) -> str:
    """What a result of publish contradicts; empty if nothing.

    Args:
        resource: the TrainingJob.
        version: the version in the result of publish.
        published: the result of publish.
        results: results of the stages of the same pod, by stage.
    """
    return (
        _of_another_line(resource, version)
        or _inconsistent(version)
        or _of_another_run(published, results.get(STAGE_PREPARE))
        or _unpassed(resource, published)
    )


def _of_another_line(resource: TrainingJob, version: PublishedVersion) -> str:
    name = resource.spec.model.name
    return "" if version.name == name else f'it published to model line "{version.name}", spec.model.name is "{name}"'


def _inconsistent(version: PublishedVersion) -> str:
    """Whether name, digest and location are those of one version."""
    if (version.version, version.uri) == (short_version(version.digest), version_uri(version.name, version.digest)):
        return ""
    return f'the version "{version.version}" at "{version.uri}" does not have the digest {version.digest}'


def _of_another_run(published: StageResult, prepared: StageResult | None) -> str:
    """Whether publish evaluated what prepare recorded. The train stage runs in between, maybe with a user's code."""
    wanted = None if prepared is None else prepared.fingerprint
    if wanted is None:
        return f"prepare reported no fingerprint that it could be compared with; {SAME_RELEASE}"
    if published.fingerprint == wanted:
        return ""
    return (
        f"its fingerprint is {published.fingerprint}, that of prepare is {wanted}: the record of the run, or the "
        "hold-out rows, changed between the two stages"
    )


def _unpassed(resource: TrainingJob, published: StageResult) -> str:
    """A gate, or the comparison on the anchor or with the champion, that the result does not show as passed."""
    passed = {(gate.metric, gate.source) for gate in published.gates if gate.passed}
    for gate in resource.spec.evaluation.gates:
        if (gate.metric, None) not in passed:
            return f"it published a version, but does not report that the gate {gate.metric.value} passed"
    captured = resource.spec.data.captured
    if captured is not None and captured.anchor is not None and (captured.anchor.metric, ANCHOR) not in passed:
        return "it published a version, but does not report that the comparison on the anchor passed"
    champion = published.champion
    if resource.spec.evaluation.champion is not None and (champion is None or not champion.passed):
        return "it published a version, but does not report that the comparison with the champion passed"
    return ""
