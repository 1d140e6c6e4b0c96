"""Values of parameters that the constraints of scikit-learn do not list, and parameters that go together."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import (
    chi2,
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
    r_regression,
)
from sklearn.gaussian_process.kernels import (
    RBF,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SKIPPED: Final = frozenset({"verbose", "memory", "callbacks", "scoring", "max_iter", "shuffle"})
"""Parameters that change nothing of what a model holds, or that `NAMED` covers."""

_P_VALUES = (chi2, f_classif, f_regression)
_SCORES = (*_P_VALUES, mutual_info_classif, mutual_info_regression, r_regression)
_KERNELS = (
    DotProduct(),
    ExpSineSquared(1.0, 3.0, "fixed", "fixed") + WhiteKernel(10.0, "fixed"),
    1.0 * Matern() + WhiteKernel(),
    RBF() ** 2,
    RationalQuadratic(),
    PairwiseKernel(metric="rbf"),
)

NAMED: Final[dict[tuple[str, str], tuple[Any, ...]]] = {
    ("*", "class_weight"): ({0: 1.0, 1: 2.0},),
    ("*", "n_jobs"): (2,),
    ("*", "feature_range"): ((-1, 1),),
    ("*", "transform_output"): (),
    ("HistGradientBoostingClassifier", "categorical_features"): (["a"], [0, 1], [True, False, False, False]),
    ("HistGradientBoostingRegressor", "categorical_features"): (["a"], [0], [True, False, False, False]),
    ("HistGradientBoostingClassifier", "monotonic_cst"): ([1, 0, 0, -1], {"a": 1}),
    ("HistGradientBoostingClassifier", "scoring"): ("roc_auc", "accuracy", "loss", None),
    ("HistGradientBoostingRegressor", "scoring"): ("r2", "loss", None),
    ("HistGradientBoostingClassifier", "interaction_cst"): ([[0, 1], [2, 3]],),
    ("RandomForestClassifier", "monotonic_cst"): ([1, 0, 0, -1],),
    ("LogisticRegressionCV", "scoring"): ("accuracy", "roc_auc"),
    ("RidgeCV", "scoring"): ("r2", "neg_mean_absolute_error"),
    ("RidgeClassifierCV", "scoring"): ("accuracy",),
    ("MLPClassifier", "hidden_layer_sizes"): ((5, 4), [3]),
    ("ColumnTransformer", "sparse_threshold"): (1.0,),
    ("GaussianProcessClassifier", "kernel"): _KERNELS,
    ("GaussianProcessRegressor", "kernel"): _KERNELS,
    ("BaggingClassifier", "estimator"): (LogisticRegression(), RandomForestClassifier(3)),
    ("AdaBoostClassifier", "estimator"): (RandomForestClassifier(3),),
    ("TransformedTargetRegressor", "transformer"): (StandardScaler(),),
    ("TransformedTargetRegressor", "func"): (np.log1p,),
    ("FunctionTransformer", "func"): (np.log1p, np.sqrt, np.square),
    ("OneHotEncoder", "categories"): ([[x / 2 + 0.5 for x in range(1, 10)]] * 4,),
    ("SimpleImputer", "missing_values"): (1.0,),
    ("OneHotEncoder", "drop"): ("first", "if_binary"),
    ("FeatureAgglomeration", "metric"): ("cosine", "l1"),
    ("FeatureAgglomeration", "pooling_func"): (np.median, np.max),
    **{(name, "score_func"): _SCORES for name in ("GenericUnivariateSelect", "SelectKBest", "SelectPercentile")},
    **{(name, "score_func"): _P_VALUES for name in ("SelectFdr", "SelectFpr", "SelectFwe")},
}
"""Values by class and parameter; `*` is for every class."""

_SAGA = {"solver": "saga", "max_iter": 20}
COMPANIONS: Final[dict[tuple[str, str, Any], dict[str, Any]]] = {}
"""Further parameters that a value needs, by class, parameter and text of the value."""


def companions(name: str, parameter: str, value: Any) -> dict[str, Any]:
    """Further parameters that a value of a parameter needs."""
    for key in ((name, parameter, str(value)), (name, parameter, "*"), ("*", parameter, str(value))):
        if key in COMPANIONS:
            return COMPANIONS[key]
    return {}


for _name in ("LogisticRegression", "LogisticRegressionCV"):
    COMPANIONS[_name, "penalty", "l1"] = _SAGA
    COMPANIONS[_name, "penalty", "elasticnet"] = {
        **_SAGA,
        **({"l1_ratio": 0.5} if _name[-1] != "V" else {"l1_ratios": (0.5,)}),
    }
    COMPANIONS[_name, "l1_ratio", "*"] = _SAGA
    COMPANIONS[_name, "dual", "True"] = {"solver": "liblinear", "penalty": "l2"}
for _name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"):
    COMPANIONS[_name, "scoring", "*"] = {"early_stopping": True}
    COMPANIONS[_name, "loss", "quantile"] = {"quantile": 0.5}
for _name in ("ExtraTreesClassifier", "ExtraTreesRegressor"):
    COMPANIONS[_name, "oob_score", "True"] = {"bootstrap": True}
    COMPANIONS[_name, "max_samples", "*"] = {"bootstrap": True}
COMPANIONS["TransformedTargetRegressor", "func", "*"] = {"inverse_func": np.expm1}
COMPANIONS["OrdinalEncoder", "handle_unknown", "use_encoded_value"] = {"unknown_value": -1}
COMPANIONS["QuantileTransformer", "subsample", "*"] = {"n_quantiles": 1}
COMPANIONS["GenericUnivariateSelect", "mode", "k_best"] = {"param": 2}
COMPANIONS["GenericUnivariateSelect", "param", "all"] = {"mode": "k_best"}
for _name in ("Ridge", "RidgeClassifier"):
    COMPANIONS[_name, "solver", "lbfgs"] = {"positive": True}
for _rate in ("pa1", "pa2"):
    COMPANIONS["SGDRegressor", "learning_rate", _rate] = {"loss": "epsilon_insensitive"}
    COMPANIONS["SGDClassifier", "learning_rate", _rate] = {"loss": "hinge"}
COMPANIONS["StackingClassifier", "stack_method", "decision_function"] = {"estimators": [("a", LogisticRegression())]}
for _name in ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"):
    COMPANIONS[_name, "shrinkage", "*"] = {"solver": "eigen"}
for _name in ("DummyClassifier", "DummyRegressor"):
    COMPANIONS[_name, "strategy", "constant"] = {"constant": 1}
COMPANIONS["DummyRegressor", "strategy", "quantile"] = {"quantile": 0.5}
COMPANIONS["LinearSVR", "dual", "False"] = {"loss": "squared_epsilon_insensitive"}
for _name in ("DictionaryLearning", "MiniBatchDictionaryLearning"):
    COMPANIONS[_name, "positive_code", "True"] = {"fit_algorithm": "cd", "transform_algorithm": "lasso_cd"}
COMPANIONS["SparseCoder", "positive_code", "True"] = {"transform_algorithm": "lasso_cd"}
COMPANIONS["NMF", "beta_loss", "itakura-saito"] = COMPANIONS["NMF", "beta_loss", "kullback-leibler"] = {"solver": "mu"}
COMPANIONS["NeighborhoodComponentsAnalysis", "init", "lda"] = {"n_components": 1}
COMPANIONS["FeatureAgglomeration", "metric", "*"] = {"linkage": "average"}
COMPANIONS["FeatureAgglomeration", "n_clusters", "None"] = {"distance_threshold": 0.5}
COMPANIONS["FeatureAgglomeration", "distance_threshold", "*"] = {"n_clusters": None}

NOT_FITTED: Final[dict[tuple[str, str, str], str]] = {
    **{
        (name, "kernel", "precomputed"): "takes a square matrix instead of columns"
        for name in ("KernelPCA", "KernelRidge", "NuSVC", "NuSVR", "Nystroem", "SVC", "SVR")
    },
    **{
        (name, "n_components", "auto"): "needs thousands of columns"
        for name in ("GaussianRandomProjection", "SparseRandomProjection")
    },
    **{(name, "init", "custom"): "takes matrices in fit" for name in ("MiniBatchNMF", "NMF")},
    **{(name, "cv", "prefit"): "takes fitted estimators" for name in ("StackingClassifier", "StackingRegressor")},
    ("SelectFromModel", "prefit", "True"): "takes a fitted estimator",
    ("SelectFromModel", "threshold", "0.5"): "selects no column of these rows",
    ("TargetEncoder", "target_type", "multiclass"): "the target has two classes",
    ("QuantileRegressor", "solver", "interior-point"): "was removed from scipy",
    ("KernelPCA", "kernel", "sigmoid"): "its kernel is not positive for these rows",
    ("KernelRidge", "kernel", "chi2"): "scikit-learn cannot compute it with float64",
    ("DictionaryLearning", "split_sign", "True"): "scikit-learn transforms training rows to another number of columns",
    ("ElasticNet", "max_iter", "None"): "fails in scikit-learn",
}
"""Values that scikit-learn does not fit with one table of numbers and one target, by class, parameter and text."""

ONLY_NAMED: Final = frozenset(
    {("FeatureAgglomeration", "metric"), ("OneHotEncoder", "drop"), ("DummyClassifier", "random_state")}
)
"""Parameters of which `NAMED` has all values that are tried: too many options, or predictions that are random."""
