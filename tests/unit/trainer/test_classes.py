"""`spec.data.positiveClass` and `spec.trainer.estimator.classWeight`: checks against the classes of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.run_spec import Estimator, Evaluation
from perennate.artifacts import FORMATS
from perennate.artifacts.formats.classes import class_paths
from perennate.trainer.data.classes import check_positive_class, class_names
from perennate.trainer.errors import BadConfigurationError, DataRefusedError
from perennate.trainer.model.class_weight import apply_class_weight, check_class_weight
from perennate.trainer.model.estimator import build_estimator, find_class

RECALL = Evaluation.model_validate({"gates": [{"metric": "recall", "min": 0.9}]})
AUC = Evaluation.model_validate({"gates": [{"metric": "auc", "min": 0.9}], "metrics": ["accuracy", "brier"]})


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ([True, False, True], ("false", "true")),
        ([10, 9, 10], ("9", "10")),
        ([1.0, 0.0], ("0", "1")),
        (["legit", "fraud"], ("fraud", "legit")),
        ([2**60, 2**60 + 1], (str(2**60), str(2**60 + 1))),
    ],
)
def test_classes_have_one_text_whatever_their_type(target: list[Any], names: tuple[str, ...]) -> None:
    assert class_names(target) == names


@pytest.mark.parametrize(
    ("field", "evaluation"),
    [
        (r"spec\.evaluation\.gates\[0\]\.metric is recall", {"gates": [{"metric": "recall", "min": 0.9}]}),
        (r"spec\.evaluation\.metrics\[1\] is f1", {"metrics": ["auc", "f1"]}),
        (
            r"spec\.evaluation\.champion\.metric is precision",
            {"champion": {"deployment": "d", "metric": "precision"}},
        ),
    ],
)
@pytest.mark.parametrize("classes", [("fraud", "legit"), ("1", "2"), ("-1", "1")])
def test_a_metric_that_depends_on_the_positive_class_needs_it(
    field: str, evaluation: dict[str, Any], classes: tuple[str, str]
) -> None:
    """The message names both classes, and the field that needs the choice."""
    named = rf"spec\.data\.positiveClass: must be one of '{classes[0]}', '{classes[1]}', because {field}"
    with pytest.raises(DataRefusedError, match=named):
        check_positive_class(None, classes, Evaluation.model_validate(evaluation), "classification")


@pytest.mark.parametrize(
    ("given", "classes", "evaluation"),
    [
        ("fraud", ("fraud", "legit"), RECALL),
        (None, ("0", "1"), RECALL),
        (None, ("false", "true"), RECALL),
        ("0", ("0", "1"), RECALL),
        (None, ("fraud", "legit"), AUC),
        (None, ("a", "b", "c"), RECALL),
    ],
)
def test_a_positive_class_that_is_clear_is_accepted(
    given: str | None, classes: tuple[str, ...], evaluation: Evaluation
) -> None:
    check_positive_class(given, classes, evaluation, "classification")


@pytest.mark.parametrize(
    ("given", "classes", "task", "message"),
    [
        ("yes", ("fraud", "legit"), "classification", r"must be one of 'fraud', 'legit', got 'yes'"),
        ("True", ("false", "true"), "classification", r"must be one of 'false', 'true', got 'True'"),
        ("1.0", ("0", "1"), "classification", r"must be one of '0', '1', got '1.0'"),
        ("a", ("a", "b", "c"), "classification", r"has 3 classes \('a', 'b', 'c'\), and only one of two"),
        ("1", (), "regression", "a regression has no classes, got '1'; remove the field"),
    ],
)
def test_a_positive_class_that_cannot_be_one_is_refused(
    given: str, classes: tuple[str, ...], task: Any, message: str
) -> None:
    with pytest.raises(DataRefusedError, match=rf"^spec\.data\.positiveClass: .*{message}"):
        check_positive_class(given, classes, AUC, task)


LABELS: dict[str, tuple[list[Any], str]] = {
    "integers": ([0, 1], "1"),
    "integers from 1": ([1, 2], "2"),
    "large integers": ([7, 1_000_000], "1000000"),
    "floats": ([0.0, 1.0], "1"),
    "booleans": ([False, True], "true"),
    "text": (["fine", "fraud"], "fraud"),
    "text of digits": (["1", "2"], "2"),
}
FAST = {"max_iter": 10, "n_estimators": 5, "max_depth": 2}
LOGISTIC = "sklearn.linear_model.LogisticRegression"
FOREST = "sklearn.ensemble.RandomForestClassifier"
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
WEIGHTED = [
    path
    for path in class_paths(*FORMATS.predictors)
    if "class_weight" in find_class(path, "field", FORMATS.predictors)().get_params()
]


def weighted(name: str, weight: float, path: str = LOGISTIC) -> Estimator:
    """An estimator that fits fast, with the weight of one class."""
    known = find_class(path, "field", FORMATS.predictors)().get_params()
    params = {parameter: value for parameter, value in FAST.items() if parameter in known and "CV" not in path}
    items = [{"class": name, "weight": weight}]
    return Estimator.model_validate({"class": path, "params": params, "classWeight": items})


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        *((path, "integers from 1") for path in WEIGHTED),
        *((path, labels) for path in (LOGISTIC, FOREST, BOOSTING) for labels in LABELS),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning:sklearn")
def test_a_class_weight_has_the_same_effect_for_every_type_of_label(path: str, labels: str) -> None:
    """The weight acts as it does for the labels 0 and 1, for which scikit-learn takes it as a parameter."""
    classes, rare = LABELS[labels]
    generator = np.random.default_rng(0)
    rows, fresh = generator.normal(size=(2, 150, 2))
    rarely = (generator.random(150) < 0.3).astype(int)
    spec = weighted(rare, 3.0, path)
    model, plain, wanted = (build_estimator(spec, seed=0) for _ in range(3))
    apply_class_weight(model, spec, np.array(classes)[rarely])
    found = model.fit(rows, np.array(classes)[rarely]).predict(fresh)
    expected = wanted.set_params(class_weight={0: 1, 1: 3.0}).fit(rows, rarely).predict(fresh)
    assert np.array_equal(found, np.array(classes)[expected])
    if path in (LOGISTIC, FOREST, BOOSTING):
        assert not np.array_equal(expected, plain.fit(rows, rarely).predict(fresh))
    saved = FORMATS.for_class(path)
    assert saved is not None
    assert saved.load(saved.save(model)).get_params()["class_weight"] == model.get_params()["class_weight"]


@pytest.mark.parametrize(
    ("parameter", "kind"), [({"0": 1, "1": 5}, "an object"), ({}, "an object"), ([{"0": 1}], "a list")]
)
def test_a_class_weight_among_the_parameters_is_refused(parameter: Any, kind: str) -> None:
    """JSON keys are text, so scikit-learn would not find the classes 0 and 1 among them."""
    spec = Estimator.model_validate({"class": "sklearn.svm.SVC", "params": {"class_weight": parameter}})
    with pytest.raises(
        BadConfigurationError, match=rf"params\.class_weight: must be .*, got {kind};.*estimator\.classWeight: \["
    ):
        check_class_weight(spec)


def test_a_class_weight_can_be_balanced_or_by_class_but_not_both() -> None:
    balanced = {"class": "sklearn.svm.SVC", "params": {"class_weight": "balanced"}}
    check_class_weight(Estimator.model_validate(balanced), ("0", "1"))
    both = Estimator.model_validate({**balanced, "classWeight": [{"class": "1", "weight": 2}]})
    with pytest.raises(BadConfigurationError, match=r"classWeight: .*params\.class_weight is set as well; remove one"):
        check_class_weight(both, ("0", "1"))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (
            ("legit", "fraud"),
            r"classWeight\[0\]\.class: must be one of 'legit', 'fraud', got 'frau' \(did you mean 'fraud'",
        ),
        (("0", "1"), r"must be one of '0', '1', got 'frau'$"),
        ((), r"the target of a regression has no classes, got 'frau'"),
    ],
)
def test_a_weight_of_an_unknown_class_is_refused(classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadConfigurationError, match=message):
        check_class_weight(weighted("frau", 2.0), classes)


def test_an_estimator_without_class_weight_is_refused() -> None:
    from sklearn.naive_bayes import GaussianNB

    spec = weighted("fraud", 2.0, "sklearn.naive_bayes.GaussianNB")
    with pytest.raises(BadConfigurationError, match=r"sklearn\.naive_bayes\.GaussianNB has no parameter class_weight"):
        apply_class_weight(GaussianNB(), spec, ["fraud", "legit"])


def test_metrics_that_need_a_positive_class_are_those_that_change_with_it() -> None:
    from perennate.trainer.tasks import NEEDS_POSITIVE_CLASS

    assert {Metric.PRECISION, Metric.RECALL, Metric.F1} == NEEDS_POSITIVE_CLASS
