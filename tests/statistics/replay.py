"""Real rows through the engine as they would come: a pod counts them, the operator adds up its documents and judges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from perennate.drift import Profile, Recorder, Sample, Window


def columns(frame: pd.DataFrame, names: Iterable[str]) -> dict[str, npt.NDArray[np.generic]]:
    """Some columns as arrays."""
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
    """What a window holds after the rows came evenly over its length to one pod, scraped as often as given.

    Args:
        profile: what is counted against.
        frame: rows in the order in which they come.
        names: columns to count.
        length: of the window, in seconds.
        until: its end, in seconds since 1970.
        scores: of the rows.
        scrapes: of the pod, evenly over the length.
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
        # As on the wire: text, not objects.
        document = json.loads(json.dumps(recorder.document()))
        window.add(document, pod="pod", now=until - length + (turn + 0.5) * length / scrapes)
    return window.sample(until)
