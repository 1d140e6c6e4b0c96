"""All checks of `make demo` pass, and the objects in the cluster match its output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster.cluster_user import remove_namespace
from tests.support.docs.pages import Block, run_by
from tests.support.docs.terminal import Terminal
from tools.demo.cluster import ROOT, Cluster, condition
from tools.demo.steps import next_steps

pytestmark = pytest.mark.e2e

NAMESPACE = "rainfall"
LONGEST_SECONDS = 3_600
FIRST_ROW, DRIFT_ROW, LAST_ROW = 8_000, 12_000, 18_000
PLOTS = [ROOT / "build" / "demo" / name for name in ("auc.png", "auc.svg")]
KINDS = ("trainingjob", "modeldeployment", "driftpolicy")
SAID = {
    "trainingjob": ("RunStarted", "VersionPublished"),
    "modeldeployment": ("VersionResolved", "RolledOut"),
    "driftpolicy": ("DriftExceeded", "EpisodeOpened", "LoopClosed"),
}
"""Expected reasons of the Events of the demo's objects, by kind."""


@dataclass(frozen=True)
class Outcome:
    """The output and exit code of the demo, and its cluster."""

    printed: str
    exit_code: int
    cluster: Cluster


@pytest.fixture(scope="module")
def demo(cluster: Cluster) -> Outcome:
    """One run of the demo. The cluster is kept. Plots of an earlier run are deleted first."""
    for plot in PLOTS:
        plot.unlink(missing_ok=True)
    remove_namespace(cluster, NAMESPACE, wait=True)
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env=os.environ | {"KEEP": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    left = replace(cluster, namespace=NAMESPACE)
    if done.returncode == 0:
        # A second episode may be open when the traffic ends. Wait for its end too.
        left.kubectl("wait", "--for=jsonpath={.status.episode.phase}=Closed", "driftpolicy/rainfall", "--timeout=600s")
    return Outcome(done.stdout + done.stderr, done.returncode, left)


def one(demo: Outcome, kind: str) -> dict[str, Any]:
    """The only object of a kind in the namespace of the demo."""
    (found,) = demo.cluster.get(kind)["items"]
    document: dict[str, Any] = found
    return document


def runs(demo: Outcome) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first TrainingJob, and those that the policy created, oldest first."""
    found = sorted(demo.cluster.get("trainingjob")["items"], key=lambda job: job["metadata"]["creationTimestamp"])
    (first,) = [job for job in found if job["metadata"]["name"] == "rainfall-first"]
    return first, [job for job in found if job is not first]


def requests(demo: Outcome) -> list[dict[str, Any]]:
    """Every request of the traffic pod, from its log."""
    lines = demo.cluster.kubectl("logs", "job/traffic").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def seconds(text: str) -> float:
    """Unix time of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


def test_all_checks_of_the_demo_pass(demo: Outcome) -> None:
    """The exit code is 0 only if they do."""
    assert demo.exit_code == 0, demo.printed
    for number in range(FIRST_ROW, LAST_ROW, 1_000):
        assert re.search(rf"{number:,}\W+[01]\.\d{{3}}\W+[01]\.\d{{3}}", demo.printed), f"no line for row {number}"
    for plot in PLOTS:
        assert plot.stat().st_size > 0
        assert f"plot: {plot.relative_to(ROOT)}\n" in demo.printed


def test_keep_prints_commands_for_this_cluster(demo: Outcome) -> None:
    assert next_steps(demo.cluster.kubeconfig, demo.cluster.programs, NAMESPACE) in demo.printed


def test_no_request_failed(demo: Outcome) -> None:
    """Every row was sent once, in order, and answered, also during a rollout."""
    sent = requests(demo)
    assert [(line["row"], line.get("error")) for line in sent if line["status"] != 200] == []
    assert [line["row"] for line in sent] == list(range(FIRST_ROW, LAST_ROW, 10))
    assert len({line["version"] for line in sent}) >= 2


def test_drift_alone_did_not_retrain(demo: Outcome) -> None:
    """The first retraining started after the row from which the model's predictions are wrong."""
    _, retrained = runs(demo)
    (began,) = [line["time"] for line in requests(demo) if line["row"] == DRIFT_ROW]
    assert retrained
    assert min(seconds(job["metadata"]["creationTimestamp"]) for job in retrained) > began


def test_harmless_drift_was_detected_with_the_feature(demo: Outcome) -> None:
    """The drift of `visibility`, which does not lower the performance, is an alarm that names the feature."""
    (began,) = [line["time"] for line in requests(demo) if line["row"] == DRIFT_ROW]
    history = one(demo, "driftpolicy")["status"]["history"]
    found = [entry for entry in history if entry["reason"] == "DriftExceeded" and seconds(entry["time"]) < began]
    assert found
    assert "visibility" in found[0]["message"]


def test_each_episode_had_one_training_job(demo: Outcome) -> None:
    """The policy owns one TrainingJob for each episode, which names its episode."""
    policy = one(demo, "driftpolicy")
    _, retrained = runs(demo)
    owners = [job["metadata"]["ownerReferences"][0]["uid"] for job in retrained]
    assert owners == [policy["metadata"]["uid"]] * policy["status"]["episode"]["number"]
    assert len({job["status"]["trigger"]["episode"] for job in retrained}) == len(retrained)


def test_the_served_version_beat_its_champion(demo: Outcome) -> None:
    """A retraining published it, and both were evaluated on the same hold-out rows."""
    _, retrained = runs(demo)
    served = one(demo, "modeldeployment")["status"]["stableRevision"]["digest"]
    published = {
        j["status"]["modelVersion"]["digest"]: j for j in retrained if condition(j, "Complete")["status"] == "True"
    }
    contest = published[served]["status"]["champion"]
    assert contest["outcome"] == "Passed"
    assert contest["challenger"] > contest["champion"]
    assert requests(demo)[-1]["version"] in published


def test_get_mlops_shows_the_loop(demo: Outcome) -> None:
    """One command shows the runs with their trigger, the served version, and the end of the episode."""
    shown = demo.cluster.kubectl("get", "mlops")
    served = one(demo, "modeldeployment")["status"]["stableRevision"]["version"]
    assert re.search(r"^trainingjob\S*/rainfall-first +rainfall +Succeeded", shown, re.MULTILINE)
    assert re.search(rf"^modeldeployment\S*/rainfall +Healthy +1 +{served}", shown, re.MULTILINE)
    assert re.search(r"^driftpolicy\S*/rainfall +rainfall .*Closed", shown, re.MULTILINE)
    assert shown.count(served) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_describe_shows_the_events(demo: Outcome, kind: str) -> None:
    """`kubectl describe` shows one Event for each transition."""
    shown = demo.cluster.kubectl("describe", kind)
    events = "".join(part.split("\n\n")[0] for part in shown.split("\nEvents:")[1:])
    assert [reason for reason in SAID[kind] if reason not in events] == []


@pytest.mark.parametrize("part", ["spec", "status"])
@pytest.mark.parametrize("kind", KINDS)
def test_explain_describes_every_field(demo: Outcome, kind: str, part: str) -> None:
    shown = demo.cluster.kubectl("explain", f"{kind}.{part}")
    assert "FIELDS:" in shown
    assert "<no description>" not in shown
    assert "<empty>" not in shown


@pytest.mark.parametrize("block", run_by(Path(__file__)), ids=Block.label)
def test_documented_commands_print_the_documented_output(demo: Outcome, block: Block) -> None:
    """The commands in README and tutorial that need a closed episode."""
    with Terminal(ROOT, demo.cluster.environment) as terminal:
        for step in block.steps():
            terminal.expect(step)
