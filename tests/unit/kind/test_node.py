"""The sources of kind and kubeadm are parsed; an unknown form raises a clear error."""

from __future__ import annotations

import pytest

from tests.kind.node import image, kind_module, programs
from tools.cluster.host.errors import ClusterError

STORAGE = """\
package nodeimage

const storageProvisionerImage = "example.com/provisioner:v1"
const storageHelperImage = "example.com/helper:v2"

const defaultStorageManifest = `
image: ` + storageProvisionerImage + `
helper: ` + storageHelperImage + `
`
"""


def test_parse_storage_finds_images_and_manifest() -> None:
    """The manifest names the images that the constants name."""
    found = kind_module.parse_storage(STORAGE)
    assert (found.provisioner, found.helper) == ("example.com/provisioner:v1", "example.com/helper:v2")
    assert found.manifest == "\nimage: example.com/provisioner:v1\nhelper: example.com/helper:v2\n"


@pytest.mark.parametrize("lost", ["storageHelperImage", "defaultStorageManifest"])
def test_parse_storage_rejects_unknown_source(lost: str) -> None:
    """A new version of kind may change the source; a partial manifest would fail much later."""
    with pytest.raises(ClusterError, match="no storage manifest of the known form"):
        kind_module.parse_storage(STORAGE.replace(f"const {lost}", "const other"))


def test_pause_image_comes_from_the_containerd_configuration() -> None:
    """Kubeadm requests another tag, but containerd starts pods with the image in its configuration."""
    assert kind_module.parse_pause_image('[a]\n  sandbox_image = "example.com/pause:3"\n') == "example.com/pause:3"
    with pytest.raises(ClusterError, match="names no sandbox image"):
        kind_module.parse_pause_image("version = 2\n")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("example.com/kube-apiserver:v1.35.4", "control-plane"),
        ("example.com/etcd:3.6.6-0", "control-plane"),
        ("example.com/kube-proxy:v1.35.4", "kube-proxy"),
        ("example.com:5000/coredns/coredns:v1.13.1", "coredns"),
        ("example.com/pause:3.10", "pause"),
    ],
)
def test_target_depends_on_the_component_only(name: str, target: str) -> None:
    """Registry and tag may be any."""
    assert image.target_of(name) == target


def test_target_of_rejects_an_unknown_image() -> None:
    """A cluster without the image would try to pull it for minutes."""
    with pytest.raises(ClusterError, match=r"example\.com/new:v1"):
        image.target_of("example.com/new:v1")


def test_version_flags_set_all_three_parts() -> None:
    """Kubeadm decides by the minor version what it writes, so the parts must agree."""
    flags = programs.version_flags("1.37.0")
    assert [f"version.git{name}" in flags for name in ("Version=v1.37.0", "Major=1", "Minor=37")] == [True] * 3


@pytest.mark.parametrize("text", ["v1.37.0", "1.37", "1.37.0 -X a=b", ""])
def test_version_flags_reject_a_malformed_version(text: str) -> None:
    """It becomes a linker flag and a tag."""
    with pytest.raises(ClusterError, match="written like"):
        programs.version_flags(text)
