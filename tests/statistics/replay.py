"""Replay real rows through the engine: a pod counts them, the operator adds up its documents and evaluates them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from perennate.drift import Profile, Recorder, Sample, Window


def columns(frame: pd.DataFrame, names: Iterable[str]) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of the frame as arrays."""
    return {str(name): frame[name].to_numpy() for name in names}


def replay(
    profile: Profile,
    frame: pd.DataFrame,
    *,
    names: Sequence[str],
    length: float,
    until: float,
    scores: npt.ArrayLike | None = None,
    scrapes: int = 24,
) -> Sample:
    """Sample of a window whose rows arrive at one pod at a constant rate.

    Args:
        profile: reference of the counts.
        frame: rows in order of arrival.
        names: columns to count.
        length: of the window, in seconds.
        until: end of the window, in seconds since 1970.
        scores: of the rows.
        scrapes: number of scrapes, at equal intervals.
    """
    recorder = Recorder(profile, model="m", version="sha256:" + "0" * 64, start=until - length)
    window = Window(profile, length=length, scrape_interval=length / scrapes)
    borders = np.linspace(0, len(frame), scrapes + 1).astype(int)
    for turn in range(scrapes):
        rows = slice(borders[turn], borders[turn + 1])
        if borders[turn + 1] > borders[turn]:
            recorder.record(columns(frame.iloc[rows], names))
            if scores is not None:
                recorder.record_scores(np.asarray(scores)[rows])
        # JSON text, as a scrape returns it.
        document = json.loads(json.dumps(recorder.document()))
        window.add(document, pod="pod", now=until - length + (turn + 0.5) * length / scrapes)
    return window.sample(until)
