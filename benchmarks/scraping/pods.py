"""`python -m benchmarks.scraping.pods honest|hostile HOSTILE PORT`: serve pods until standard input ends.

Prints a line of JSON with the port and the digests of the profiles, and at the end one with the times of the requests
to an honest pod.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.scraping.layout import HONEST, LARGE, Target, profile_of, targets
from perennate.drift.profile.profile import MAX_BYTES, Profile
from perennate.drift.recording.recorder import Recorder
from tests.support.pods.hostile_pods import (
    CHUNKED,
    EVERYWHERE,
    JSON,
    OK,
    Answer,
    LoopbackPods,
    document,
    drip,
    endless,
    silence,
)


def counts_of(profile: Profile) -> bytes:
    """The counts of a pod that served a hundred rows."""
    recorder = Recorder(profile, model="m", version="sha256:" + "a" * 64, start=time.time())
    draw = np.random.default_rng(1)
    recorder.record({feature.name: draw.normal(size=100) for feature in profile.features})
    return json.dumps(recorder.document()).encode()


def late(content: bytes) -> Answer:
    """Send a document just before the deadline."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        """Write the response late."""
        await asyncio.sleep(4.5)
        await document(content)(writer)

    return answer


def answers_of(kind: str, profiles: dict[bool, Profile], counts: dict[bool, bytes]) -> tuple[Answer, Answer]:
    """What the pods of a target answer to /profile and /counts."""
    large = kind in LARGE
    profile, bomb = document(profiles[large].to_bytes()), b"[" + b"[]," * (MAX_BYTES // 3 - 2) + b"0]"
    answers: dict[str, tuple[Answer, Answer]] = {
        HONEST: (profile, document(counts[False])),
        "silent": (silence, silence),
        "dripping": (profile, drip(OK + JSON + b"\r\n", b" ", seconds=0.2)),
        "huge": (profile, endless(OK + JSON + b"\r\n", b" " * 65_536)),
        "interim responses": (profile, endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)),
        "tiny chunks": (profile, endless(CHUNKED, b"1\r\n \r\n" * 1_000)),
        "wrong digest": (document(bomb), document(b"{}")),
        "largest profile": (profile, document(counts[True])),
        "bombs of lists": (profile, document(b'{"counts":[' + b"[]," * 1_200_000 + b"[]]}")),
        "headers": (profile, endless(OK, b"x: y\r\n" * 1_000)),
        "late": (profile, late(counts[True])),
    }
    return answers[kind]


async def serve(everybody: list[Target], port: int) -> None:
    """Serve the pods of targets."""
    profiles = {large: profile_of(LARGE[0] if large else HONEST) for large in (False, True)}
    counts = {large: counts_of(profile) for large, profile in profiles.items()}
    times: list[float] = []
    answers: dict[Any, Answer] = {}
    for target in everybody:
        pair = answers_of(target.kind, profiles, counts)
        for address in target.addresses:
            answers[address, "/profile"], answers[address, "/counts"] = pair

    async def noted(writer: asyncio.StreamWriter) -> None:
        """Note the request, then respond."""
        times.append(time.monotonic())
        await document(counts[False])(writer)

    first = everybody[0]
    if first.kind == HONEST:
        answers[first.addresses[0], "/counts"] = noted
    hosts = first.addresses if first.kind == HONEST else EVERYWHERE
    async with LoopbackPods(answers, hosts=hosts, port=port) as pods:
        digests = {str(large): profile.digest for large, profile in profiles.items()}
        print(json.dumps({"port": pods.port, "digests": digests}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(times), flush=True)


if __name__ == "__main__":
    honest, *hostile = targets(int(sys.argv[2]))
    asyncio.run(serve([honest] if sys.argv[1] == HONEST else hostile, int(sys.argv[3])))
