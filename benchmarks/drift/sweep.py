"""Measure the verdict of one model, and the reading of the counts of a fleet against the same in Prometheus text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, Final

import numpy as np
import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.drift.bounds import Bound, Finding
from perennate.drift import Profile, Recorder, Window, build_profile, evaluate_drift

FEATURES: Final = 20
PODS: Final = 3000
DAY: Final = 86_400.0
SCRAPES: Final = 288
MILLISECONDS: Final = 1.0
"""Bound of a verdict; a policy evaluates its window every few minutes."""
TRAFFIC: Final[dict[str, dict[str, Any]]] = {
    "576 rows": {"rows": 2},
    "576,000 rows": {"rows": 2000},
    "576,000 rows, 3 features drifted": {"rows": 2000, "moved": 1.0},
    "576,000 rows, ten alike each": {"rows": 2000, "alike": 10},
}
"""Few and many rows in a scrape, without drift, with drift, and clustered."""
MOVED: Final = 3
VERDICTS: Final = 50
"""Number of verdicts in a round."""
READ: Final = PODS // 100
"""Number of documents whose text is parsed."""


def compare(rounds: int) -> list[Finding]:
    """Run both comparisons in turns, so that verdicts are measured at different times."""
    profile = _profile()
    streams = {title: _Stream(profile, **traffic) for title, traffic in TRAFFIC.items()}
    ours, theirs = _sweeps(profile)
    verdicts: dict[str, list[tuple[float, float]]] = {title: [] for title in streams}
    sweeps = []
    for _ in range(rounds):
        sweeps.append((ours(), PODS / READ * theirs()))
        for title, stream in streams.items():
            verdicts[title].append(stream.verdicts())
    return [*(_verdict(title, spent) for title, spent in verdicts.items()), _sweep(sweeps)]


def _profile() -> Profile:
    draw = np.random.default_rng(0)
    scores = draw.beta(2, 3, 5000)
    return build_profile(
        {f"f{index}": draw.normal(size=10_000) for index in range(FEATURES)},
        task="classification",
        score=scores,
        labels=(draw.random(5000) < scores).astype(int),
        classes=[0, 1],
    )


class _Stream:
    """A day of traffic that continues.

    Args:
        rows: rows of each scrape.
        moved: shift of the first features in standard deviations.
        alike: number of equal rows in each cluster.
    """

    def __init__(self, profile: Profile, *, rows: int, moved: float = 0.0, alike: int = 1) -> None:
        self._window, self._recorder = Window(profile, length=DAY, scrape_interval=15.0), _recorder(profile)
        self._rows, self._moved, self._alike, self._scrapes = rows, moved, alike, 0
        for _ in range(SCRAPES):
            self._scrape()

    def verdicts(self) -> tuple[float, float]:
        """Median seconds of a verdict on new counts, and of adding them up before."""
        spent = []
        for _ in range(VERDICTS):
            now = self._scrape()
            begin = time.process_time()
            sample = self._window.sample(now)
            between = time.process_time()
            evaluate_drift(sample)
            spent.append((time.process_time() - between, between - begin))
        return median(verdict for verdict, _ in spent), median(added for _, added in spent)

    def _scrape(self) -> float:
        _record(self._recorder, self._rows // self._alike, seed=self._scrapes, moved=self._moved, alike=self._alike)
        now = (self._scrapes + 0.5) * DAY / SCRAPES
        self._scrapes += 1
        self._window.add(self._recorder.document(), pod="pod", now=now)
        return now


def _verdict(title: str, rounds: list[tuple[float, float]]) -> Finding:
    """Compare the time of a full evaluation in the fastest round with `MILLISECONDS`.

    All other bounds are ratios, in which the load of the machine cancels out. Here it does not, so the fastest round is
    used.
    """
    spent, added = (min(times) * 1e3 for times in zip(*rounds, strict=True))
    what = f"verdict from counts of {title}; to add them up took {added:.2f} ms before"
    return Finding(what, "ms", spent, MILLISECONDS, spent / MILLISECONDS, Bound(1, at_least=False))


def _sweeps(profile: Profile) -> tuple[Callable[[], float], Callable[[], float]]:
    """Functions that return the CPU seconds of two sweeps of documents, and of parsing their text.

    The text is parsed for only `READ` pods, because its parser is slow.
    """
    recorders = [_recorder(profile) for _ in range(PODS)]
    sweeps = []
    for sweep in range(2):
        for pod, recorder in enumerate(recorders):
            _record(recorder, 500, seed=sweep * PODS + pod)
        sweeps.append([orjson.dumps(recorder.document()) for recorder in recorders])
    texts = [_as_text(recorder.document()) for recorder in recorders[:: PODS // READ]]

    def ours() -> float:
        window = Window(profile, length=DAY, scrape_interval=15.0)
        for turn, contents in enumerate(sweeps):
            begin = time.process_time()
            for pod, content in enumerate(contents):
                window.add(content, pod=f"pod-{pod}", now=15.0 * (turn + 1))
        return time.process_time() - begin

    def theirs() -> float:
        begin = time.process_time()
        for text in texts:
            for family in text_string_to_metric_families(text):
                _ = [(sample.labels, sample.value) for sample in family.samples]
        return time.process_time() - begin

    return ours, theirs


def _sweep(pairs: list[tuple[float, float]]) -> Finding:
    return Finding(
        title=f"sweep of {PODS:,} counts documents, against the same as text and prometheus_client's parser",
        unit="s",
        ours=median(mine for mine, _ in pairs),
        theirs=median(other for _, other in pairs),
        ratio=median(other / mine for mine, other in pairs),
        bound=Bound(40, at_least=True),
    )


def _recorder(profile: Profile) -> Recorder:
    return Recorder(profile, model="benchmark", version="sha256:0", start=0.0)


def _record(recorder: Recorder, rows: int, *, seed: int, moved: float = 0.0, alike: int = 1) -> None:
    """Record rows: each `alike` times, with the first features shifted by `moved` standard deviations."""
    draw = np.random.default_rng(seed)
    shifts = [moved if index < MOVED else 0.0 for index in range(FEATURES)]
    recorder.record({f"f{index}": np.repeat(draw.normal(shift, 1, rows), alike) for index, shift in enumerate(shifts)})
    recorder.record_scores(np.repeat(draw.beta(2, 3, rows), alike))


def _as_text(document: dict[str, Any]) -> str:
    """A counts document as Prometheus text, with each count as a sample of a counter."""

    class Collector:
        """A collector of one document."""

        def collect(self) -> Iterator[CounterMetricFamily]:
            """One family for all cells."""
            family = CounterMetricFamily("rows_counted", "Rows by bin.", labels=["model", "feature", "bin"])
            for name, counts in zip(document["features"], document["counts"], strict=True):
                for index, count in enumerate(counts):
                    family.add_metric([document["model"], name, str(index)], count)
            for special in ("below", "above", "missing", "other"):
                for name, count in zip(document["features"], document[special], strict=True):
                    family.add_metric([document["model"], name, special], count)
            for index, count in enumerate(document["score"]):
                family.add_metric([document["model"], "score", str(index)], count)
            yield family

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry).decode()
