"""From counts: the verdict of one model, and one sweep of the counts of a fleet against the same as Prometheus text."""

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
from perennate.drift import Profile, Recorder, Window, build_profile, evaluate

FEATURES: Final = 20
PODS: Final = 3000
DAY: Final = 86_400.0
SCRAPES: Final = 288
MILLISECONDS: Final = 0.2
TRAFFIC: Final = 2, 2000
"""Rows of each scrape: hardly any, and many."""
VERDICTS: Final = 50
"""Of a round."""
READ: Final = PODS // 100
"""Documents whose text is read."""


def compare(rounds: int) -> list[Finding]:
    """Both comparisons, in turns, so that verdicts are spread over the time that the sweeps take."""
    profile = _profile()
    samples = [(rows, _window(profile, rows)) for rows in TRAFFIC]
    ours, theirs = _sweeps(profile)
    verdicts: list[list[float]] = [[] for _ in samples]
    sweeps = []
    for _ in range(rounds):
        sweeps.append((_spent(ours), PODS / READ * _spent(theirs)))
        for spent, (_, window) in zip(verdicts, samples, strict=True):
            spent.append(median(_spent(lambda window=window: evaluate(window.sample(DAY))) for _ in range(VERDICTS)))
    return [*(_verdict(rows, min(spent)) for spent, (rows, _) in zip(verdicts, samples, strict=True)), _sweep(sweeps)]


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


def _window(profile: Profile, rows: int) -> Window:
    """A day of so many rows each scrape."""
    window, recorder = Window(profile, length=DAY, scrape_interval=15.0), _recorder(profile)
    for scrape in range(SCRAPES):
        _record(recorder, rows, seed=scrape)
        window.add(recorder.document(), pod="pod", now=(scrape + 0.5) * DAY / SCRAPES)
    return window


def _verdict(rows: int, spent: float) -> Finding:
    """A full evaluation, against a number of milliseconds: that of the fastest round.

    All other bounds are ratios, in which what else the machine does cancels out. Here it does not, and one machine may
    be twice as slow from one second to the next.
    """
    title = f"verdict from counts of {rows * SCRAPES:,} rows, {FEATURES} features and the score; the fastest round"
    return Finding(title, "ms", spent * 1e3, MILLISECONDS, spent * 1e3 / MILLISECONDS, Bound(1, at_least=False))


def _sweeps(profile: Profile) -> tuple[Callable[[], None], Callable[[], None]]:
    """Documents of all pods, read and added; and of the text, whose parser takes long, that of some pods."""
    recorder = _recorder(profile)
    _record(recorder, 500, seed=1)
    contents = [orjson.dumps(recorder.document()) for _ in range(PODS)]
    text = _as_text(recorder.document())

    def ours() -> None:
        window = Window(profile, length=DAY, scrape_interval=15.0)
        for pod, content in enumerate(contents):
            window.add(orjson.loads(content), pod=f"pod-{pod}", now=15.0)

    def theirs() -> None:
        for _ in range(READ):
            for family in text_string_to_metric_families(text):
                _ = [(sample.labels, sample.value) for sample in family.samples]

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


def _record(recorder: Recorder, rows: int, *, seed: int) -> None:
    draw = np.random.default_rng(seed)
    recorder.record({f"f{index}": draw.normal(size=rows) for index in range(FEATURES)})
    recorder.record_scores(draw.beta(2, 3, rows))


def _as_text(document: dict[str, Any]) -> str:
    """Every count of a document as one sample of a counter, as a Prometheus client would hand it out."""

    class Collector:
        """The collector."""

        def collect(self) -> Iterator[CounterMetricFamily]:
            """One family for all cells."""
            family = CounterMetricFamily("rows_counted", "Rows by bin.", labels=["model", "feature", "bin"])
            for name, counts in zip(document["features"], document["counts"], strict=True):
                for place, count in enumerate(counts):
                    family.add_metric([document["model"], name, str(place)], count)
            for special in ("below", "above", "missing", "other"):
                for name, count in zip(document["features"], document[special], strict=True):
                    family.add_metric([document["model"], name, special], count)
            for place, count in enumerate(document["score"]):
                family.add_metric([document["model"], "score", str(place)], count)
            yield family

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry).decode()


def _spent(call: Any) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin
