"""Invariants under random histories: actions of users, Kubernetes and crashing passes in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennate.api.wellknown import ANNOTATION_PROMOTE, ANNOTATION_RETRAIN, ANNOTATION_RETRY
from perennate.kube.runtime.resources import key_of
from tests.support.world.cluster_controllers import deployment_gets_stuck, deployment_rolls_out, job_fails, job_succeeds
from tests.support.world.objects import (
    Document,
    digest_of,
    drift_policy,
    metadata,
    model_deployment,
    model_version,
    training_job,
)
from tests.support.world.traffic import profile_of, sample_of
from tests.support.world.world import OURS, World

VERSIONS = ("v1", "v2", "v3")
CRASHES = st.one_of(st.none(), st.integers(0, 4))


def real_version(version: str) -> Document:
    """A published version whose profile matches the samples of `sample_of`."""
    return {**model_version(version), "profileDigest": profile_of(version).digest}


@dataclass
class History:
    """A world, and the actions that change it."""

    world: World
    verbs: int = 0

    def run_pass(self, index: int, crash_after: int | None) -> None:
        """Run a pass over one of the custom resources, which may crash after any of its actions."""
        ours = sorted(key for key in self.world.objects if key[0] in OURS)
        if ours:
            self._update_monitor()
            self.world.step(*ours[index % len(ours)], crash_after=crash_after)

    def end_job(self, index: int, version: str | None) -> None:
        """End a Job of a run: with a published version, or as failed without one."""
        job = self._pick("Job", index, ended=False)
        if job is None:
            return
        self.world.server.objects.pop(key_of(job))
        self.world.put(job)  # now it is the newest Job, on which the simulated controllers act
        if version is None:
            job_fails(self.world, "publish", 11)
        else:
            job_succeeds(self.world, version, modelVersion=real_version(version))

    def roll(self, *, well: bool) -> None:
        """Complete the rollout of the Deployment, or block it."""
        if ("Deployment", "m") in self.world.objects:
            (deployment_rolls_out if well else deployment_gets_stuck)(self.world)

    def traffic(self, *, lost: bool) -> None:
        """Let an evaluation interval of traffic pass."""
        self._lost = lost
        self.world.evaluation_due = True
        self.world.pass_time(300)

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.world.pass_time(seconds)

    def delete_job(self, index: int) -> None:
        """Delete a Job that a status refers to, as a user would."""
        job = self._pick("Job", index)
        if job is not None and job["metadata"]["name"] in self._recorded("jobRef", "name", kind="TrainingJob"):
            self.world.delete("Job", job["metadata"]["name"])

    def delete_run(self, index: int) -> None:
        """Delete a TrainingJob as a user would; one of an episode only if the policy's status refers to it."""
        run = self._pick("TrainingJob", index)
        opened = self._recorded("episode", "trainingJob", kind="DriftPolicy", unless=("phase", "Opened"))
        if run is not None and (not run["metadata"].get("ownerReferences") or run["metadata"]["name"] in opened):
            self.world.delete("TrainingJob", run["metadata"]["name"])

    def suspend(self, index: int) -> None:
        """Suspend or resume a run, as a user would."""
        run = self._pick("TrainingJob", index)
        if run is not None:
            spec = self.world.objects["TrainingJob", run["metadata"]["name"]]["spec"]
            spec["suspend"] = not spec.get("suspend", False)

    def annotate(self, verb: str) -> None:
        """Set a verb annotation, as a user would."""
        self.verbs += 1
        kind, name = ("DriftPolicy", "p") if verb == ANNOTATION_RETRAIN else ("ModelDeployment", "m")
        self.world.objects[kind, name]["metadata"].setdefault("annotations", {})[verb] = f"request {self.verbs}"

    def settle(self) -> None:
        """Run passes without crashes until none of them writes anything."""
        for _ in range(10):
            self._update_monitor()
            before = self.world.writes
            for key in sorted(key for key in self.world.objects if key[0] in OURS):
                self.world.settle(*key)
            if self.world.writes == before:
                return
        raise AssertionError("the namespace did not become stable")

    _lost: bool = False

    def _update_monitor(self) -> None:
        """Provide the profile and the window of the served version to the passes over the policy."""
        stable = (self.world.objects["ModelDeployment", "m"].get("status") or {}).get("stableRevision")
        served = next((version for version in VERSIONS if stable and stable["digest"] == digest_of(version)), None)
        self.world.profile = profile_of(served) if served else None
        self.world.sample = sample_of(served, lost=self._lost) if served else None

    def _pick(self, kind: str, index: int, *, ended: bool = True) -> Document | None:
        some = (document for document in self.world.of_kind(kind) if ended or not document.get("status"))
        found = sorted(some, key=lambda document: str(document["metadata"]["name"]))
        return found[index % len(found)] if found else None

    def _recorded(self, field_: str, part: str, *, kind: str, unless: tuple[str, str] = ("", "-")) -> set[str]:
        """The values of a part of a status field, over all objects of a kind."""
        found = [(document.get("status") or {}).get(field_) for document in self.world.of_kind(kind)]
        return {entry[part] for entry in found if entry and entry.get(unless[0]) != unless[1]}


def served() -> History:
    """A history in which every pod serves the version of the first run, and a policy monitors it."""
    history = History(_world())
    history.settle()
    history.end_job(0, "v1")
    history.settle()
    history.roll(well=True)
    history.traffic(lost=False)
    history.settle()
    return history


def _world() -> World:
    template = training_job(spec={"backoffLimit": 1})["spec"]
    retrain = {"trainingJobTemplate": {"spec": template}, "cooldown": "5m", "maxPerDay": 3}
    return World.of(
        training_job(spec={"backoffLimit": 2}),
        model_deployment(),
        drift_policy(spec={"retrain": retrain, "consecutive": 1}),
        {"kind": "PersistentVolumeClaim", "metadata": metadata("rows", "PersistentVolumeClaim")},
    )


INDEX = st.integers(0, 5)
ACTIONS = st.one_of(
    st.tuples(st.just("run_pass"), INDEX, CRASHES),
    st.tuples(st.just("settle")),
    st.tuples(st.just("settle")),
    st.tuples(st.just("end_job"), INDEX, st.sampled_from((*VERSIONS, None))),
    st.tuples(st.just("roll"), st.sampled_from((True, True, False))),
    st.tuples(st.just("traffic"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from((1, 60, 700, 90_000))),
    st.tuples(st.sampled_from(("delete_job", "delete_run", "suspend")), INDEX),
    st.tuples(st.just("annotate"), st.sampled_from((ANNOTATION_RETRAIN, ANNOTATION_PROMOTE, ANNOTATION_RETRY))),
)


def act(history: History, action: tuple[object, ...]) -> None:
    """Perform one action."""
    name, *arguments = action
    if name == "roll":
        history.roll(well=bool(arguments[0]))
    elif name == "traffic":
        history.traffic(lost=bool(arguments[0]))
    else:
        getattr(history, str(name))(*arguments)


def check(history: History) -> None:
    """Assert the invariants that hold at any time."""
    world = history.world
    twice = [name for name, count in Counter((kind, name) for kind, name, _ in world.created).items() if count > 1]
    assert [key for key in twice if key[0] in {"Job", "TrainingJob"}] == []
    episodes = [run for run in world.of_kind("TrainingJob") if run["metadata"].get("ownerReferences")]
    unfinished = [run for run in episodes if not _terminal(run)]
    assert len(unfinished) <= 1
    for run in world.of_kind("TrainingJob"):
        assert len(_terminal(run)) <= 1
    for kind, name in [key for key in world.objects if key[0] in OURS]:
        document = world.objects[kind, name].get("status") or {}
        assert len(document.get("history", [])) <= 20


def _terminal(run: Document) -> list[str]:
    conditions = (run.get("status") or {}).get("conditions", [])
    return [c["type"] for c in conditions if c["type"] in {"Complete", "Failed"} and c["status"] == "True"]


SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SETTINGS
@given(st.lists(ACTIONS, min_size=5, max_size=60), st.booleans())
def test_nothing_is_created_twice_in_any_history(actions: list[tuple[object, ...]], begun: bool) -> None:
    """In any history: one Job per attempt, one TrainingJob per episode, one terminal state, and a stable end."""
    history = served() if begun else History(_world())
    for action in actions:
        act(history, action)
        check(history)
    history.settle()
    check(history)


@SETTINGS
@given(st.lists(ACTIONS, min_size=5, max_size=40))
def test_a_terminal_state_is_never_left(actions: list[tuple[object, ...]]) -> None:
    history = served()
    ended: dict[str, Document] = {}
    for action in actions:
        act(history, action)
        for run in history.world.of_kind("TrainingJob"):
            if _terminal(run):
                status = {key: value for key, value in run["status"].items() if key != "observedGeneration"}
                assert ended.setdefault(run["metadata"]["uid"], status) == status


@SETTINGS
@given(st.lists(ACTIONS, min_size=5, max_size=40))
def test_a_stable_version_was_served_by_every_pod(actions: list[tuple[object, ...]]) -> None:
    """A version becomes stable only while the Deployment is complete with the template of that version."""
    history = served()
    for action in actions:
        before = _stable(history.world)
        act(history, action)
        after = _stable(history.world)
        if after != before and after is not None:
            deployment = history.world.objects["Deployment", "m"]
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            assert digest_of_label(labels["perennate.dev/version"]) == after
            assert deployment["status"]["availableReplicas"] == deployment["spec"]["replicas"]


def digest_of_label(short: str) -> str:
    """The digest that begins with the digits of a label."""
    return next(digest_of(version) for version in VERSIONS if digest_of(version).startswith(f"sha256:{short}"))


def _stable(world: World) -> str | None:
    stable = (world.objects["ModelDeployment", "m"].get("status") or {}).get("stableRevision")
    return None if stable is None else str(stable["digest"])
