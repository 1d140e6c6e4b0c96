"""Statuses that the operator of release 0.1.0 wrote; they hold the state of the guards against retraining twice."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.v1alpha1.drift_policy import Episode, EpisodePhase, Reason
from tests.support.first_release import FOLDER, document

Kind = type[TrainingJob] | type[ModelDeployment] | type[DriftPolicy]
MODELS: dict[str, Kind] = {
    "TrainingJob": TrainingJob,
    "ModelDeployment": ModelDeployment,
    "DriftPolicy": DriftPolicy,
}
OBJECTS = sorted(path.stem for path in (FOLDER / "status").iterdir())
RENAMED_OUTCOMES = {
    "DataFault": "EpisodeStopped",
    "Superseded": "EpisodeSuperseded",
    "Withdrawn": "EpisodeWithdrawn",
}
"""Outcomes of release 0.1.0 that were renamed, because they had no reason of the same name."""


def policy(name: str) -> DriftPolicy:
    """A DriftPolicy of release 0.1.0."""
    return DriftPolicy.model_validate(document(f"status/{name}.json"))


@pytest.mark.parametrize("name", OBJECTS)
def test_a_status_keeps_all_values(name: str) -> None:
    """A status round-trips through the model, except for renamed outcomes and `passed`, which became an outcome.

    Later numbers are 0.
    """
    found = document(f"status/{name}.json")
    wanted: dict[str, Any] = found["status"]
    outcome = wanted.get("episode", {}).get("outcome")
    if outcome in RENAMED_OUTCOMES:
        wanted["episode"]["outcome"] = RENAMED_OUTCOMES[outcome]
    for result in (*wanted.get("gates", ()), *filter(None, [wanted.get("champion")])):
        result["outcome"] = "Passed" if result.pop("passed") else "Failed"
    if "window" in wanted:
        wanted["window"] |= {"pods": 0, "podsSeen": 0}
    status = MODELS[found["kind"]].model_validate(found).status
    assert {key: value for key, value in status.to_document().items() if key in wanted} == wanted


@pytest.mark.parametrize(("before", "after"), RENAMED_OUTCOMES.items())
def test_a_renamed_outcome_is_converted(before: str, after: str) -> None:
    """A renamed outcome is converted, not rejected, so that the status keeps the budget and the cool-down."""
    episode = {"number": 1, "id": "uid/1", "trigger": "Drift", "phase": "Closed", "openedAt": "2026-03-01T12:15:00Z"}
    assert Episode.model_validate({**episode, "outcome": before}).outcome == after


def test_the_guards_of_a_policy_that_trains() -> None:
    status = policy("training-policy").status
    assert status.episode is not None
    assert (status.episode.number, status.episode.id) == (1, "uid-driftpolicy-p/1")
    assert (status.episode.phase, status.episode.training_job) == (EpisodePhase.TRAINING, "p-517e468d")
    assert status.triggered_times == ("2026-03-01T12:10:00Z",)
    assert status.next_trigger_time == "2026-03-01T13:10:00Z"
    assert (status.drift.active, status.performance_loss.active) == (True, True)


def test_the_guards_of_a_policy_whose_challenger_lost() -> None:
    """The count of lost challengers, which doubles the cool-down, is kept."""
    status = policy("lost-policy").status
    assert status.episode is not None
    assert (status.lost_challengers, status.episode.outcome) == (1, Reason.CHALLENGER_LOST)
    assert status.next_trigger_time == "2026-03-01T14:10:00Z"


def test_the_versions_of_a_deployment() -> None:
    status = ModelDeployment.model_validate(document("status/stuck-deployment.json")).status
    assert status.stable_revision is not None
    assert status.current_revision is not None
    assert status.current_revision.digest == status.stable_revision.digest
    assert len(status.rejected) == 1


def test_the_version_of_a_run() -> None:
    status = TrainingJob.model_validate(document("status/succeeded-run.json")).status
    assert status.model_version is not None
    assert status.model_version.name == "rain"
    assert status.completion_time is not None
