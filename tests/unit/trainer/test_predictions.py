"""Metrics of a model on hold-out rows, compared with known values and with scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as library
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB

from perennate.api.documents.metric import Metric
from perennate.trainer.evaluation.predictions import (
    HoldoutPredictions,
    UnknownClassError,
    compute_metrics,
    predict_holdout,
)
from perennate.trainer.tasks import CLASSIFICATION, REGRESSION


class Answers:
    """A fitted classifier that returns fixed predictions and probabilities."""

    def __init__(self, classes: list[Any], predicted: list[Any], probabilities: list[list[float]]) -> None:
        self.classes_ = np.array(classes)
        self._predicted = np.array(predicted)
        self._probabilities = np.array(probabilities)

    def predict(self, _: Any) -> Any:
        """Return the predicted classes."""
        return self._predicted

    def predict_proba(self, _: Any) -> Any:
        """Return the probabilities."""
        return self._probabilities


NO_ROWS = pd.DataFrame()


def test_two_classes_have_the_known_metrics() -> None:
    """Five rows with known metrics: 2 of 3 positives are found, and 1 of 2 negatives is a false positive."""
    chances = [0.9, 0.8, 0.3, 0.6, 0.1]
    model = Answers(["no", "yes"], ["yes", "yes", "no", "yes", "no"], [[1 - p, p] for p in chances])
    predictions = predict_holdout(model, NO_ROWS, ["yes", "yes", "yes", "no", "no"], positive="yes")
    values = compute_metrics(predictions, CLASSIFICATION)
    assert values[Metric.ACCURACY] == pytest.approx(3 / 5)
    assert values[Metric.PRECISION] == pytest.approx(2 / 3)
    assert values[Metric.RECALL] == pytest.approx(2 / 3)
    assert values[Metric.F1] == pytest.approx(2 / 3)
    assert values[Metric.AUC] == pytest.approx(5 / 6)
    assert values[Metric.BRIER] == pytest.approx((0.01 + 0.04 + 0.49 + 0.36 + 0.01) / 5)
    wanted = -np.mean(np.log([0.9, 0.8, 0.3, 0.4, 0.9]))
    assert values[Metric.LOG_LOSS] == pytest.approx(wanted)
    assert predictions.score is not None
    assert predictions.score.tolist() == chances


def test_the_positive_class_decides_precision_recall_and_f1() -> None:
    """The same five rows with the other class as the positive one: 1 of 2 is found, and 1 of 2 alarms is right."""
    chances = [0.9, 0.8, 0.3, 0.6, 0.1]
    model = Answers(["fraud", "legit"], ["legit", "legit", "fraud", "legit", "fraud"], [[1 - p, p] for p in chances])
    truth = ["legit", "legit", "legit", "fraud", "fraud"]
    values = {
        positive: compute_metrics(predict_holdout(model, NO_ROWS, truth, positive=positive), CLASSIFICATION)
        for positive in ("fraud", "legit")
    }
    assert [values["fraud"][name] for name in (Metric.PRECISION, Metric.RECALL, Metric.F1)] == [0.5, 0.5, 0.5]
    assert [values["legit"][name] for name in (Metric.PRECISION, Metric.RECALL)] == [2 / 3, 2 / 3]
    for metric in (Metric.ACCURACY, Metric.AUC, Metric.LOG_LOSS, Metric.BRIER):
        assert values["fraud"][metric] == pytest.approx(values["legit"][metric])
    scores = predict_holdout(model, NO_ROWS, truth, positive="fraud").score
    assert scores is not None
    assert scores.tolist() == pytest.approx([1 - chance for chance in chances])


def test_without_a_positive_class_metrics_that_need_one_are_left_out() -> None:
    model = Answers(["no", "yes"], ["yes", "no"], [[0.1, 0.9], [0.8, 0.2]])
    values = compute_metrics(predict_holdout(model, NO_ROWS, ["yes", "no"]), CLASSIFICATION)
    assert set(values) == {Metric.ACCURACY, Metric.AUC, Metric.LOG_LOSS, Metric.BRIER}


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        ([0, 1], "1"),
        ([0.0, 1.0], "1"),
        ([False, True], "true"),
        (["0", "1"], "1"),
        (["False", "True"], "True"),
        ([1, 2], None),
        ([-1, 1], None),
        (["no", "yes"], None),
    ],
)
def test_only_0_and_1_and_booleans_have_a_natural_positive_class(classes: list[Any], positive: str | None) -> None:
    model = Answers(classes, classes, [[0.9, 0.1], [0.1, 0.9]])
    assert predict_holdout(model, NO_ROWS, classes).positive_class == positive


@pytest.mark.parametrize(
    ("classes", "given"), [([1, 2], "1"), ([-1.0, 1.0], "-1"), ([False, True], "false"), (["a", "b"], "a")]
)
def test_a_positive_class_matches_labels_of_every_type(classes: list[Any], given: str) -> None:
    model = Answers(classes, classes[:1] * 2, [[0.9, 0.1], [0.6, 0.4]])
    values = compute_metrics(predict_holdout(model, NO_ROWS, classes, positive=given), CLASSIFICATION)
    assert (values[Metric.RECALL], values[Metric.PRECISION]) == (1.0, 0.5)


def test_a_positive_class_unknown_to_the_model_is_an_error() -> None:
    with pytest.raises(UnknownClassError, match=r"the positive class 'c' is not one of the model's classes \(a, b\)"):
        predict_holdout(Answers(["a", "b"], ["a"], [[1.0, 0.0]]), NO_ROWS, ["a"], positive="c")


@pytest.mark.parametrize("name", [str, int, float, bool])
def test_metrics_do_not_depend_on_the_type_of_the_labels(name: Any) -> None:
    """Classes 0 and 1 as strings, integers, floats or booleans give the same metrics."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    wanted = compute_metrics(predict_holdout(GaussianNB().fit(features, target), features, target), CLASSIFICATION)
    named = np.array([name(value) for value in target])
    assert (
        compute_metrics(predict_holdout(GaussianNB().fit(features, named), features, named), CLASSIFICATION) == wanted
    )


def test_a_champion_trained_on_other_label_types_is_comparable() -> None:
    """Classes that are strings in the champion and numbers in the rows are matched."""
    model = Answers(["0", "1"], ["1", "0"], [[0.2, 0.8], [0.7, 0.3]])
    assert compute_metrics(predict_holdout(model, NO_ROWS, [1, 0]), (Metric.ACCURACY,)) == {Metric.ACCURACY: 1.0}


def test_more_classes_are_scored_as_scikit_learn_does() -> None:
    """With more than two classes, metrics are macro averages and AUC is one-vs-rest."""
    features, target = load_wine(return_X_y=True, as_frame=True)
    model = GaussianNB().fit(features[::2], target[::2])
    rows, truth = features[1::2], target[1::2].to_numpy()
    values = compute_metrics(predict_holdout(model, rows, truth), CLASSIFICATION)
    predicted, chances = model.predict(rows), model.predict_proba(rows)
    assert values[Metric.F1] == pytest.approx(library.f1_score(truth, predicted, average="macro"))
    assert values[Metric.AUC] == pytest.approx(library.roc_auc_score(truth, chances, multi_class="ovr"))
    assert values[Metric.LOG_LOSS] == pytest.approx(library.log_loss(truth, chances))
    assert values[Metric.BRIER] == pytest.approx(library.brier_score_loss(truth, chances, scale_by_half=False))


def test_regression_is_scored_as_scikit_learn_does() -> None:
    """MAE, RMSE and R2 equal those of scikit-learn."""
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    model = Ridge().fit(features, target)
    values = compute_metrics(predict_holdout(model, features, target.to_numpy()), REGRESSION)
    predicted = model.predict(features)
    assert values == {
        Metric.MAE: pytest.approx(library.mean_absolute_error(target, predicted)),
        Metric.RMSE: pytest.approx(library.root_mean_squared_error(target, predicted)),
        Metric.R2: pytest.approx(library.r2_score(target, predicted)),
    }


def test_without_probabilities_auc_uses_the_decision_function() -> None:
    """A metric that cannot be computed is left out."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    model = RidgeClassifier().fit(features, target)
    predictions = predict_holdout(model, features, target.to_numpy())
    values = compute_metrics(predictions, CLASSIFICATION)
    assert values[Metric.AUC] == pytest.approx(library.roc_auc_score(target, model.decision_function(features)))
    assert {Metric.LOG_LOSS, Metric.BRIER}.isdisjoint(values)
    assert predictions.score is None


def test_a_class_unknown_to_the_model_is_an_error() -> None:
    """A row of an unknown class could never be predicted correctly, so it is an error."""
    with pytest.raises(UnknownClassError, match=r"the class 'c' is not one of the model's classes \(a, b\)"):
        predict_holdout(Answers(["a", "b"], ["a"], [[1.0, 0.0]]), NO_ROWS, ["c"])


def test_rows_of_one_class_have_no_auc() -> None:
    """AUC is undefined for rows of one class, so it is left out."""
    model = Answers(["a", "b"], ["a", "b"], [[0.6, 0.4], [0.4, 0.6]])
    assert Metric.AUC not in compute_metrics(predict_holdout(model, NO_ROWS, ["a", "a"]), CLASSIFICATION)


def test_infinite_predictions_have_no_metrics() -> None:
    """With an infinite prediction, there are no metrics, so no gate can pass."""
    predictions = HoldoutPredictions("regression", np.array([1.0, 2.0]), np.array([np.inf, 2.0]), (), None, None)
    assert compute_metrics(predictions, REGRESSION) == {}


def test_a_constant_truth_has_no_r2() -> None:
    """R2 is undefined if all true values are equal, so it is left out."""
    predictions = HoldoutPredictions("regression", np.array([2.0, 2.0]), np.array([1.0, 2.0]), (), None, None)
    assert set(compute_metrics(predictions, REGRESSION)) == {Metric.MAE, Metric.RMSE}


def test_metrics_of_the_other_task_are_not_computed() -> None:
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=5000).fit(features, target)
    assert compute_metrics(predict_holdout(model, features, target.to_numpy()), REGRESSION) == {}
