"""A model file that would make compiled code leave its arrays is refused before anything predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perennate.artifacts import ArtifactRefusedError
from perennate.artifacts.formats.skops.loading import load_estimator
from perennate.artifacts.formats.skops.saving import save_estimator
from tests.security.models import crafted

HONEST: tuple[Callable[[], Any], ...] = tuple({model for model, _ in crafted.CRAFTED.values()})


@pytest.mark.parametrize("name", crafted.CRAFTED)
def test_a_crafted_model_is_refused(name: str) -> None:
    with pytest.raises(ArtifactRefusedError, match=r"the file is damaged or crafted|outside the fixed list"):
        load_estimator(crafted.crafted(name))


@pytest.mark.parametrize("model", HONEST, ids=lambda model: model.__name__)
def test_the_models_themselves_are_read(model: Callable[[], Any]) -> None:
    assert load_estimator(save_estimator(model())).n_features_in_ > 0
