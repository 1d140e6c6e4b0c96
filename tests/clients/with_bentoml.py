"""Send records with BentoML's clients: reads a JSON list of requests, prints their answers as JSON.

A process of its own, because BentoML leaves folders behind that Python warns about.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bentoml import AsyncHTTPClient, SyncHTTPClient
from bentoml.exceptions import BentoMLException


async def predict_asynchronously(url: str, records: list[dict[str, Any]]) -> Any:
    """One answer of the asynchronous client."""
    async with AsyncHTTPClient(url) as client:
        return await client.predict(records=records)


def main(url: str) -> None:
    """Send each list of records with both clients; the answer to an invalid one is its error."""
    answers = []
    with SyncHTTPClient(url) as client:
        for records in json.load(sys.stdin):
            try:
                answers.append(client.predict(records=records))
            except BentoMLException as error:
                answers.append({"error": str(error), "type": type(error).__name__})
            else:
                assert asyncio.run(predict_asynchronously(url, records))["predictions"] == answers[-1]["predictions"]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
