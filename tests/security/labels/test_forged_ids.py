"""A client of `/feedback` who has no prediction, or fewer than labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from perennate.artifacts import load_verified
from perennate.serving.capture.identifiers import make_ids
from perennate.serving.capture.signing import Signer
from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import publish_clothes, publish_height, publish_rain
from tests.support.pods.serving_pod import NOW, SIGNER, running_pod

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pods.serving import Published
    from tests.support.pods.serving_pod import Pod

MODELS: Mapping[str, Callable[[Path], Published]] = {
    "rain": publish_rain,
    "clothes": publish_clothes,
    "height": publish_height,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Published, ServedModel]]:
    """A classifier of two classes, one of three, and a regression."""
    root = tmp_path_factory.mktemp("store")
    published = {name: publish(root) for name, publish in MODELS.items()}
    return {
        name: (item, ServedModel(load_verified(item.store.read(item.model, item.digest)), item.digest))
        for name, item in published.items()
    }


def part(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """An id with one of its parts changed."""

    def changed(text: str) -> str:
        parts = text.split(".")
        parts[number] = change(parts[number])
        return ".".join(parts)

    return changed


def other_digit(text: str, place: int = -1) -> str:
    """The text with another digit in one place."""
    digit = "1" if text[place] != "1" else "2"
    place %= len(text)
    return f"{text[:place]}{digit}{text[place + 1 :]}"


FORGERIES: dict[str, tuple[Callable[[str], str], set[str]]] = {
    "another version": (part(0, other_digit), {"forged"}),
    "another answer": (part(1, lambda text: other_digit(text) if len(text) > 1 else "9"), {"forged"}),
    "no answer": (part(1, lambda _: "n"), {"forged"}),
    "a prediction of 1970": (part(2, lambda _: "0000000000000"), {"forged"}),
    "a prediction of 2286": (part(2, lambda _: "9999999999999"), {"forged"}),
    "a millisecond later": (part(2, other_digit), {"forged"}),
    "another request": (part(3, lambda text: other_digit(text, 0)), {"forged"}),
    "more rows": (part(3, lambda text: f"{text}f"), {"forged"}),
    "another signature": (part(4, other_digit), {"forged"}),
    "half a signature": (part(4, lambda text: text[:8]), {"invalid"}),
    "no signature": (lambda text: ".".join(text.split(".")[:4]), {"unsigned"}),
    "capital letters": (part(4, lambda text: f"{text[:-1]}F"), {"invalid"}),
    "a row behind a row": (lambda text: f"{text}.0", {"forged", "invalid"}),
    "without the row": (lambda text: text.rpartition(".")[0], {"forged", "unsigned"}),
    "a row that was not predicted": (
        lambda text: f"{text.rpartition('.')[0]}.400" if text.count(".") == 5 else f"{text}.0",
        {"forged"},
    ),
    "a row with a leading zero": (lambda text: f"{text.rpartition('.')[0]}.00", {"invalid"}),
    "a row that is negative": (lambda text: f"{text.rpartition('.')[0]}.-1", {"invalid"}),
    "white space": (lambda text: f"{text} ", {"invalid"}),
    "a null byte": (lambda text: f"{text}\0", {"invalid"}),
}


async def ask(pod: Pod, path: str, body: object) -> Any:
    """The answer to a request that succeeds."""
    response = await pod.traffic.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("forge", "reasons"), FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_changed_id_is_refused(
    name: str,
    forge: Callable[[str], str],
    reasons: set[str],
    served: Mapping[str, tuple[Published, ServedModel]],
) -> None:
    """Nothing is counted, the reason is in receipt and metrics, and the honest labels beside it are counted."""
    published, model = served[name]
    async with running_pod(model) as pod:
        answer = await ask(pod, "/predict", {"records": published.records(3)})
        ids, label = answer["ids"], answer["predictions"][0]
        forged = forge(ids[0])
        assert forged != ids[0]
        receipt = await ask(pod, "/feedback", [{"id": text, "label": label} for text in (ids[1], forged, ids[2])])
        assert (receipt["counted"], [item["index"] for item in receipt["invalid"]]) == (2, [1])
        (refused,) = receipt["invalid"]
        assert refused["reason"] in reasons
        assert forged not in refused["error"]
        assert pod.sample("labels_total", outcome=refused["reason"]) == 1
        assert pod.sample("labels_total", outcome="counted") == 2


async def test_ten_thousand_invented_ids_count_nothing(
    served: Mapping[str, tuple[Published, ServedModel]],
) -> None:
    """Version and format are public; with them alone, release 0.1.0 counted any number of labels in any bin."""
    published, model = served["rain"]
    async with running_pod(model) as pod:
        now = int(NOW * 1000)
        invented = [f"{model.prefix}.{row % 10}.{now}.{row:011x}" for row in range(5000)]
        signed = [f"{text}.{row:016x}.0" for row, text in enumerate(invented)]
        before = pod.recording.recorder.document()["labels"]
        receipt = await ask(pod, "/feedback", [{"id": text, "label": 1} for text in (*invented, *signed)])
        assert (receipt["counted"], len(receipt["invalid"])) == (0, 10_000)
        assert pod.sample("labels_total", outcome="unsigned") == 5000
        assert pod.sample("labels_total", outcome="forged") == 5000
        assert pod.recording.recorder.document()["labels"] == before
        del published


async def test_no_request_yields_more_labels_than_rows(
    served: Mapping[str, tuple[Published, ServedModel]],
) -> None:
    """Every id that can be written with the signatures of a response is tried: as many count as rows were predicted."""
    published, model = served["rain"]
    async with running_pod(model) as pod:
        ids = (await ask(pod, "/predict", {"records": published.records(50)}))["ids"]
        groups = sorted({text.rpartition(".")[0] for text in ids})
        tried = [{"id": f"{group}.{row:x}", "label": 1} for group in groups for row in range(256)]
        assert (await ask(pod, "/feedback", tried))["counted"] == 50
        again = await ask(pod, "/feedback", tried)
        assert (again["counted"], again["duplicates"]) == (0, 50)


async def test_an_id_of_another_model_line_is_refused(served: Mapping[str, tuple[Published, ServedModel]]) -> None:
    """Each line has a key of its own, so that traffic of one model is no label of another."""
    _, model = served["rain"]
    async with running_pod(model) as pod:
        (text,) = make_ids(
            version=model.prefix,
            kind="scores",
            answers=[3],
            time_ms=int(NOW * 1000),
            token="0123456789",  # noqa: S106
            signer=Signer(b"the key of another model line"),
        )
        receipt = await ask(pod, "/feedback", [{"id": text, "label": 1}])
        assert [item["reason"] for item in receipt["invalid"]] == ["forged"]


async def test_a_label_of_megabytes_is_not_kept_for_capture(
    served: Mapping[str, tuple[Published, ServedModel]],
) -> None:
    """Labels of another version are captured without a comparison with its classes, and wait in memory."""
    _, model = served["clothes"]
    async with running_pod(model) as pod:
        (text,) = make_ids(
            version="f" * 12,
            kind="classes",
            answers=[1],
            time_ms=int(NOW * 1000),
            token="0123456789",  # noqa: S106
            signer=SIGNER,
        )
        receipt = await ask(pod, "/feedback", [{"id": text, "label": "x" * 1_000_000}])
        assert [item["error"] for item in receipt["invalid"]] == [
            "label: must have at most 256 characters, got 1000000"
        ]
        assert (await ask(pod, "/feedback", [{"id": text, "label": "x" * 256}]))["other_version"] == 1
