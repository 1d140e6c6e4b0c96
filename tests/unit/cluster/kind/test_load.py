"""Detection of images that are already loaded."""

from __future__ import annotations

from tools.cluster.kind.load import is_loaded

_LISTING = """\
REF TYPE DIGEST SIZE PLATFORMS LABELS
docker.io/perennate/operator:0.1.0 application/v sha256:aaaa 120.5 MiB linux/amd64 a=b,perennate.dev/loaded-from=1111
docker.io/perennate/trainer:0.1.0 application/v sha256:bbbb 435.5 MiB linux/amd64 io.cri-containerd.image=managed
docker.io/perennate/operator:0.1.0-old application/v sha256:cccc 120.5 MiB linux/amd64 perennate.dev/loaded-from=2222
"""


def test_an_image_is_loaded_only_from_the_same_image_of_the_engine() -> None:
    """The digest on the node is not reliable, because every export of the engine differs."""
    assert is_loaded(_LISTING, "docker.io/perennate/operator:0.1.0", "sha256:1111")
    assert not is_loaded(_LISTING, "docker.io/perennate/operator:0.1.0", "sha256:2222")


def test_an_unlabelled_or_missing_image_is_not_loaded() -> None:
    assert not is_loaded(_LISTING, "docker.io/perennate/trainer:0.1.0", "sha256:1111")
    assert not is_loaded(_LISTING, "docker.io/perennate/serving:0.1.0", "sha256:1111")
    assert not is_loaded("", "docker.io/perennate/operator:0.1.0", "sha256:1111")
