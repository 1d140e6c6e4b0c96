"""Which pods a visit asks."""

from __future__ import annotations

from perennate.kube.monitoring.rotation import MAX_BACK_OFF, PODS_A_VISIT, PodRotation

PODS = [f"pod-{number:03d}" for number in range(120)]


def visited(rotation: PodRotation, now: float) -> list[str]:
    """The pods of one visit, all of which answer."""
    pods = rotation.due(now)
    for uid in pods:
        rotation.asked(uid)
        rotation.succeeded(uid, now)
    return pods


def test_all_pods_get_their_turn() -> None:
    """120 pods in three visits; nobody twice before everybody once."""
    rotation = PodRotation()
    rotation.follow(PODS, limit=1_000, interval=15.0)
    visits = [visited(rotation, 15.0 * number) for number in range(12)]
    assert [len(pods) for pods in visits] == [PODS_A_VISIT] * 12
    asked = [uid for pods in visits for uid in pods]
    assert sorted(asked[:120]) == PODS
    assert {asked.count(uid) for uid in PODS} == {5}
    assert rotation.seen_since(12 * 15.0 - 50.0) == 120
    assert rotation.answering == 120


def test_a_fixed_part_of_the_pods_is_followed_if_there_are_too_many() -> None:
    """Otherwise the base of the next difference would be forgotten between two visits, and all counts lost."""
    rotation = PodRotation()
    rotation.follow(PODS, limit=50, interval=15.0)
    first = set(visited(rotation, 0.0))
    rotation.follow(reversed(PODS), limit=50, interval=15.0)
    assert set(visited(rotation, 15.0)) == first
    left = [uid for uid in PODS if uid not in set(list(first)[:10])]
    rotation.follow(left, limit=50, interval=15.0)
    after = set(visited(rotation, 30.0))
    assert len(after) == 50
    assert len(after & first) == 40


def test_failures_in_a_row_make_a_pod_rarer() -> None:
    """The first failure does not: every pod may miss one scrape."""
    rotation = PodRotation()
    asked = []
    for second in range(300):
        rotation.follow(["pod"], limit=10, interval=1.0)
        for uid in rotation.due(float(second)):
            asked.append(second)
            rotation.asked(uid)
            rotation.failed(uid, "hangs", float(second))
    assert asked == [0, 1, 2, 5, 12, 27, 58, 118, 178, 238, 298]
    assert asked[-1] - asked[-2] == MAX_BACK_OFF


def test_one_good_response_ends_the_back_off() -> None:
    rotation = PodRotation()
    rotation.follow(["pod"], limit=10, interval=1.0)
    for _ in range(9):
        rotation.failed("pod", "hangs", 0.0)
    assert rotation.due(59.0) == []
    assert rotation.errors == {"pod": "hangs"}
    rotation.succeeded("pod", 60.0)
    assert rotation.due(60.0) == ["pod"]
    assert (rotation.answering, rotation.errors) == (1, {})


def test_a_scrape_interval_longer_than_the_back_off_stays_as_it_is() -> None:
    rotation = PodRotation()
    rotation.follow(["pod"], limit=10, interval=600.0)
    for _ in range(9):
        rotation.failed("pod", "hangs", 0.0)
    assert rotation.due(600.0) == ["pod"]


def test_a_pod_that_is_gone_or_not_ready_is_forgotten() -> None:
    """When it is ready again, it is asked at once."""
    rotation = PodRotation()
    rotation.follow(["pod"], limit=10, interval=1.0)
    for _ in range(9):
        rotation.failed("pod", "hangs", 0.0)
    rotation.follow([], limit=10, interval=1.0)
    assert rotation.errors == {}
    rotation.follow(["pod"], limit=10, interval=1.0)
    assert rotation.due(1.0) == ["pod"]


def test_a_pod_with_failures_comes_after_those_asked_longer_ago() -> None:
    rotation = PodRotation()
    rotation.follow(["a", "b", "c"], limit=10, interval=1.0)
    rotation.asked("a")
    rotation.failed("a", "hangs", 0.0)
    assert rotation.due(1.0) == ["b", "c", "a"]
