"""The node image finds what it takes from kind and kubeadm, or fails with a clear error."""

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


def test_storage_is_read_out_of_the_source() -> None:
    """The manifest names the images that the constants name."""
    found = kind_module.parse_storage(STORAGE)
    assert (found.provisioner, found.helper) == ("example.com/provisioner:v1", "example.com/helper:v2")
    assert found.manifest == "\nimage: example.com/provisioner:v1\nhelper: example.com/helper:v2\n"


@pytest.mark.parametrize("lost", ["storageHelperImage", "defaultStorageManifest"])
def test_a_source_of_another_form_is_refused(lost: str) -> None:
    """A new version of kind may be written otherwise; half a manifest would fail much later."""
    with pytest.raises(ClusterError, match="no storage manifest of the known form"):
        kind_module.parse_storage(STORAGE.replace(f"const {lost}", "const other"))


def test_the_pause_image_is_that_of_containerd() -> None:
    """Kubeadm asks for another tag, but containerd starts pods with the one in its configuration."""
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
def test_every_image_of_kubeadm_has_a_target(name: str, target: str) -> None:
    """Registry and tag are kubeadm's; the component decides."""
    assert image.target_of(name) == target


def test_an_unknown_image_is_refused() -> None:
    """A cluster that lacks an image would try to pull it, for minutes."""
    with pytest.raises(ClusterError, match=r"example\.com/new:v1"):
        image.target_of("example.com/new:v1")


def test_the_version_is_linked_in() -> None:
    """Kubeadm decides by minor version what it writes, so all three parts must agree."""
    flags = programs.version_flags("1.37.0")
    assert [f"version.git{name}" in flags for name in ("Version=v1.37.0", "Major=1", "Minor=37")] == [True] * 3


@pytest.mark.parametrize("text", ["v1.37.0", "1.37", "1.37.0 -X a=b", ""])
def test_a_version_is_three_numbers(text: str) -> None:
    """It becomes a flag of the linker and a tag."""
    with pytest.raises(ClusterError, match="written like"):
        programs.version_flags(text)
