"""Inputs of an image: Dockerfile stages, requirements, our source; and the pip settings of a build."""

from __future__ import annotations

import pytest

from tools.cluster.host import pip_settings
from tools.cluster.images import build, images
from tools.cluster.instance import CHECKOUT

_DOCKERFILES = {name: (CHECKOUT / "images" / f"{name}.Dockerfile").read_text() for name in images.IMAGES}


def test_stages_are_parsed_separately() -> None:
    """A change in one stage does not affect another, and comments are ignored."""
    found = images.stages("# Why\nARG A=b\nFROM ${A} AS one\nRUN x\n# because\nRUN y\nFROM one\nCOPY z\n")
    assert found == {"": "ARG A=b", "one": "FROM ${A} AS one\nRUN x\nRUN y", "final": "FROM one\nCOPY z"}


@pytest.mark.parametrize("name", images.IMAGES)
def test_every_dockerfile_has_the_stages_that_the_build_relies_on(name: str) -> None:
    """The builder uses these stages, and appends the last layer itself, so the last stage may only copy the source."""
    found = images.stages(_DOCKERFILES[name])
    assert list(found) == ["", "builder", "compiled", "source", "dependencies", "final"]
    assert found["final"] == "FROM dependencies\nCOPY --from=source / /"


def test_all_images_share_the_source_layer() -> None:
    """All images share the layer of our source, so it is built and loaded once."""
    layers = {(images.stages(text)["compiled"], images.stages(text)["source"]) for text in _DOCKERFILES.values()}
    assert len(layers) == 1


@pytest.mark.parametrize("name", images.IMAGES)
def test_an_image_runs_as_an_unprivileged_user(name: str) -> None:
    """A user id above 10000 does not exist on hosts."""
    users = [line.split()[1] for line in _DOCKERFILES[name].splitlines() if line.startswith("USER")]
    assert users
    assert all(int(part) > 10000 for user in users for part in user.split(":"))


def test_only_older_builds_of_the_same_image_are_outdated() -> None:
    """Three builds per image are kept."""
    stored = ["a-1", "a-dependencies-1", "a-2", "a-3", "b-1", "a-4", "a-5"]
    assert build.outdated(stored) == ["a-1", "a-2"]


def test_pip_settings_keep_the_index_and_point_to_the_mounted_certificates() -> None:
    """A build gets the index settings, but no paths of the host, which do not exist in it."""
    listing = "global.index-url='https://index.example/simple'\nglobal.cert='/etc/bundle.pem'\nglobal.find-links='/opt/wheels'\n"
    settings = pip_settings.parse(listing, {})
    assert settings.certificates == "/etc/bundle.pem"
    assert (
        settings.configuration
        == "[global]\nindex-url = https://index.example/simple\ncert = /run/secrets/certificates\n"
    )


def test_environment_variables_override_pip_configuration_files() -> None:
    """As in pip, although `pip config list` prints them in another order."""
    settings = pip_settings.parse(":env:.timeout='180'\nglobal.timeout='5'\n", {})
    assert "timeout = 180" in settings.configuration


def test_without_a_host_bundle_no_certificates_are_mounted() -> None:
    assert pip_settings.parse("", {}) == pip_settings.PipSettings("[global]\n", None)
    assert pip_settings.parse("", {"SSL_CERT_FILE": "/c"}).certificates == "/c"
