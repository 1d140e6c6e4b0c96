"""Every estimator of scikit-learn with each documented parameter: what the reference says of it is true.

`make test` tries a part that a fixed seed chooses, `make test-full` all.
"""

from __future__ import annotations

import numpy as np
import pytest

from perennate.artifacts.formats.classes import class_paths
from perennate.artifacts.formats.skops import allowlist
from perennate.artifacts.formats.skops.allowlist.unserved import REFUSED_PARAMETERS, UNSERVED, why_unserved
from tests.estimators.cases import Case, cases, paths
from tests.estimators.outcomes import outcome

SERVED = (allowlist.CLASSIFIERS, allowlist.REGRESSORS, allowlist.TRANSFORMERS, allowlist.COMPOSITES)
HELPERS = frozenset({"KernelCenterer", "LabelBinarizer", "LabelEncoder"})
"""Classes that only other estimators use, which the sweep covers."""
PARTS = 8
SAMPLE = 15
"""Cases of each part in `make test`."""


def chosen(part: int, *, full: bool) -> list[Case]:
    """The cases of a part."""
    found = [case for case in cases() if case.path.rpartition(".")[2] not in HELPERS]
    found = found[part::PARTS]
    draw = np.random.default_rng(part)
    return found if full else [found[place] for place in draw.choice(len(found), SAMPLE, replace=False)]


def expected(case: Case) -> set[str]:
    """The results that the reference allows."""
    if why_unserved(case.path):
        return {"not fitted", "not saved", "refused"}
    if case.reason_not_fitted:
        return {"not fitted"}
    changes = [f"`{name}: {value}`" for name, value in case.changes.items()]
    refused = any(change in REFUSED_PARAMETERS.get(case.path, "") for change in changes)
    return {"refused"} if refused else {"served"}


def test_the_reference_has_every_estimator_once() -> None:
    """The classes that are served and those that are not are all classes of scikit-learn. One is experimental."""
    listed = [*class_paths(*SERVED), *class_paths(*UNSERVED.values())]
    names = [path.rpartition(".")[2] for path in listed]
    assert len(set(names)) == len(names)
    assert set(names) - {"IterativeImputer"} == {path.rpartition(".")[2] for path in paths()}


@pytest.mark.parametrize("part", range(PARTS))
def test_models_are_served_as_the_reference_says(part: int, full: bool) -> None:
    """Each is fitted, saved, audited, loaded and predicts the same; or scikit-learn or the audit refuses it."""
    unexpected = {
        case.label: found for case in chosen(part, full=full) if (found := outcome(case)).result not in expected(case)
    }
    assert unexpected == {}


def test_the_sweep_covers_what_it_claims() -> None:
    """Most cases are fitted: the values that scikit-learn refuses are few, and each is listed with its reason."""
    found = [case for case in cases() if not why_unserved(case.path)]
    assert len(found) > 1000
    assert sum(bool(case.reason_not_fitted) for case in found) < 30
    assert {case.path for case in found} == set(class_paths(*SERVED))
