"""The bearer token of `/feedback`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from perennate.api.documents.serving_config import FeedbackConfig
from perennate.artifacts import load_verified
from perennate.serving.capture.token import FeedbackToken
from perennate.serving.errors import ConfigError
from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import publish_rain
from tests.support.pods.serving_pod import running_pod

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = FeedbackConfig(secret="labels", key="t")  # noqa: S106 - names
SECRET = "correct horse battery staple"  # noqa: S105 - of no service


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A served classifier."""
    published = publish_rain(tmp_path_factory.mktemp("store"))
    return ServedModel(load_verified(published.store.read("rain", published.digest)), published.digest)


REFUSED = {
    "no header": None,
    "empty": "",
    "no token": "Bearer",
    "only white space": "Bearer   ",
    "another scheme": f"Basic {SECRET}",
    "no scheme": SECRET,
    "another token": "Bearer wrong",
    "the start": f"Bearer {SECRET[:-1]}",
    "more": f"Bearer {SECRET}x",
    "in a list": f"Bearer {SECRET}, Bearer x",
    "capital letters": f"Bearer {SECRET.upper()}",
    "not ASCII": "Bearer \u00fc",
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
async def test_labels_without_the_token_are_refused(header: str | None, rain: ServedModel, tmp_path: Path) -> None:
    """401 names the scheme, and says nothing about the token. Predictions need none."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    async with running_pod(rain, token=FeedbackToken(tmp_path / "token", CONFIG)) as pod:
        headers = {} if header is None else {b"authorization": header.encode("latin-1")}
        response = await pod.traffic.post("/feedback", content=b"not even JSON", headers=headers)
        assert response.status_code == HTTPStatus.UNAUTHORIZED
        assert response.headers["www-authenticate"].startswith('Bearer realm="feedback"')
        assert SECRET not in response.text
        assert (await pod.traffic.get("/docs.json")).json()["paths"]["/feedback"]["post"]["security"] == [
            {"feedbackToken": []}
        ]


async def test_the_token_can_be_replaced_without_a_restart(rain: ServedModel, tmp_path: Path) -> None:
    """The kubelet replaces the folder that the file is in. Without a file, nothing is accepted."""
    first, second = tmp_path / "..1", tmp_path / "..2"
    for folder, text in ((first, SECRET), (second, "another")):
        folder.mkdir()
        (folder / "token").write_text(text)
    link = tmp_path / "..data"
    link.symlink_to(first)
    async with running_pod(rain, token=FeedbackToken(link / "token", CONFIG)) as pod:

        async def status(token: str) -> int:
            answer = await pod.traffic.post("/feedback", json=[], headers={"Authorization": f"bearer {token}"})
            return answer.status_code

        assert [await status(SECRET), await status("another")] == [200, 401]
        link.unlink()
        assert [await status(SECRET), await status("another")] == [503, 503]
        link.symlink_to(second)
        assert [await status(SECRET), await status("another")] == [401, 200]


@pytest.mark.parametrize("content", [None, b"", b" \n"], ids=["no file", "empty", "white space"])
def test_a_missing_token_ends_the_container(content: bytes | None, tmp_path: Path) -> None:
    """An empty token would be one that everybody knows."""
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=r'spec.feedback.tokenSecretRef: Secret "labels" does not exist .* key "t"'):
        FeedbackToken(tmp_path / "token", CONFIG).check_file()


OTHER_PATHS = [
    "/feedback/",
    "//feedback",
    "/./feedback",
    "/FEEDBACK",
    "/feedback%2f",
    "/feedback;x",
    "/predict/../feedback",
]


@pytest.mark.parametrize("path", OTHER_PATHS)
async def test_no_other_path_leads_around_the_token(path: str, rain: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    async with running_pod(rain, token=FeedbackToken(tmp_path / "token", CONFIG)) as pod:
        for method in ("POST", "PUT", "HEAD", "GET"):
            response = await pod.traffic.request(method, f"http://pod{path}", json=[])
            assert response.status_code in {307, 401, 404, 405}
            assert "counted" not in response.text
        assert pod.metrics.registry.get_sample_value("perennate_serving_labels_total") is None


async def test_two_headers_are_no_way_around_the_token(rain: ServedModel, tmp_path: Path) -> None:
    """A proxy may check one of them."""
    (tmp_path / "token").write_text(SECRET)
    async with running_pod(rain, token=FeedbackToken(tmp_path / "token", CONFIG)) as pod:
        headers = [("authorization", "Bearer x"), ("authorization", "Bearer y")]
        assert (await pod.traffic.post("/feedback", json=[], headers=headers)).status_code == HTTPStatus.UNAUTHORIZED
