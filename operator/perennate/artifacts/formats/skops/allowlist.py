"""The fixed list of types that a skops model may contain.

The list is written by hand, not derived from the installed scikit-learn: a new release of a library adds nothing to
it, and every class that can be trained can be loaded. It leaves out classes that take functions (FunctionTransformer
as a step), that need other estimators as arguments, that cannot be saved without code, or that hold search trees with
unchecked indices (k nearest neighbours).
"""

from __future__ import annotations

from typing import Final

CLASSIFIERS: Final[dict[str, frozenset[str]]] = {
    "sklearn.calibration": frozenset({"CalibratedClassifierCV"}),
    "sklearn.discriminant_analysis": frozenset({"LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"}),
    "sklearn.dummy": frozenset({"DummyClassifier"}),
    "sklearn.ensemble": frozenset(
        {
            "AdaBoostClassifier",
            "BaggingClassifier",
            "ExtraTreesClassifier",
            "GradientBoostingClassifier",
            "HistGradientBoostingClassifier",
            "RandomForestClassifier",
        }
    ),
    "sklearn.linear_model": frozenset(
        {
            "LogisticRegression",
            "LogisticRegressionCV",
            "Perceptron",
            "RidgeClassifier",
            "RidgeClassifierCV",
            "SGDClassifier",
        }
    ),
    "sklearn.naive_bayes": frozenset({"BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"}),
    "sklearn.neighbors": frozenset({"NearestCentroid"}),
    "sklearn.neural_network": frozenset({"MLPClassifier"}),
    "sklearn.svm": frozenset({"LinearSVC", "NuSVC", "SVC"}),
    "sklearn.tree": frozenset({"DecisionTreeClassifier", "ExtraTreeClassifier"}),
}
"""Classes for `spec.trainer.estimator.class` that predict classes, by public module."""

REGRESSORS: Final[dict[str, frozenset[str]]] = {
    "sklearn.cross_decomposition": frozenset({"PLSRegression"}),
    "sklearn.dummy": frozenset({"DummyRegressor"}),
    "sklearn.ensemble": frozenset(
        {
            "AdaBoostRegressor",
            "BaggingRegressor",
            "ExtraTreesRegressor",
            "GradientBoostingRegressor",
            "HistGradientBoostingRegressor",
            "RandomForestRegressor",
        }
    ),
    "sklearn.kernel_ridge": frozenset({"KernelRidge"}),
    "sklearn.linear_model": frozenset(
        {
            "ARDRegression",
            "BayesianRidge",
            "ElasticNet",
            "ElasticNetCV",
            "GammaRegressor",
            "HuberRegressor",
            "Lars",
            "LarsCV",
            "Lasso",
            "LassoCV",
            "LassoLars",
            "LassoLarsCV",
            "LassoLarsIC",
            "LinearRegression",
            "OrthogonalMatchingPursuit",
            "OrthogonalMatchingPursuitCV",
            "PoissonRegressor",
            "QuantileRegressor",
            "RANSACRegressor",
            "Ridge",
            "RidgeCV",
            "SGDRegressor",
            "TheilSenRegressor",
            "TweedieRegressor",
        }
    ),
    "sklearn.neural_network": frozenset({"MLPRegressor"}),
    "sklearn.svm": frozenset({"LinearSVR", "NuSVR", "SVR"}),
    "sklearn.tree": frozenset({"DecisionTreeRegressor", "ExtraTreeRegressor"}),
}
"""Classes for `spec.trainer.estimator.class` that predict numbers, by public module."""

TRANSFORMERS: Final[dict[str, frozenset[str]]] = {
    "sklearn.decomposition": frozenset(
        {"FactorAnalysis", "FastICA", "IncrementalPCA", "KernelPCA", "NMF", "PCA", "TruncatedSVD"}
    ),
    "sklearn.feature_selection": frozenset(
        {
            "GenericUnivariateSelect",
            "SelectFdr",
            "SelectFpr",
            "SelectFwe",
            "SelectKBest",
            "SelectPercentile",
            "VarianceThreshold",
        }
    ),
    "sklearn.impute": frozenset({"KNNImputer", "SimpleImputer"}),
    "sklearn.kernel_approximation": frozenset(
        {"AdditiveChi2Sampler", "Nystroem", "PolynomialCountSketch", "RBFSampler", "SkewedChi2Sampler"}
    ),
    "sklearn.preprocessing": frozenset(
        {
            "Binarizer",
            "KBinsDiscretizer",
            "MaxAbsScaler",
            "MinMaxScaler",
            "Normalizer",
            "OneHotEncoder",
            "OrdinalEncoder",
            "PolynomialFeatures",
            "PowerTransformer",
            "QuantileTransformer",
            "RobustScaler",
            "StandardScaler",
            "TargetEncoder",
        }
    ),
    "sklearn.random_projection": frozenset({"GaussianRandomProjection"}),
}
"""Classes for `spec.trainer.estimator.preprocessing`, by public module."""

COMPOSITES: Final[dict[str, frozenset[str]]] = {
    "sklearn.compose": frozenset({"ColumnTransformer", "TransformedTargetRegressor"}),
    "sklearn.ensemble": frozenset({"StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor"}),
    "sklearn.multiclass": frozenset({"OneVsOneClassifier", "OneVsRestClassifier"}),
    "sklearn.pipeline": frozenset({"FeatureUnion", "Pipeline"}),
    "sklearn.preprocessing": frozenset({"FunctionTransformer", "KernelCenterer", "LabelBinarizer", "LabelEncoder"}),
}
"""Classes that contain or support other estimators. A model from `spec.trainer.container` may use them.
FunctionTransformer is harmless in a file: the function that it calls is a type of its own, and only those in
`FUNCTIONS` are allowed."""

INTERNALS: Final[frozenset[str]] = frozenset(
    {
        "sklearn._loss.link.HalfLogitLink",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.ExponentialLoss",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfGammaLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn._loss.loss.HuberLoss",
        "sklearn._loss.loss.PinballLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.isotonic.IsotonicRegression",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.utils._bunch.Bunch",
    }
)
"""Plain objects inside fitted estimators. skops does not trust TreePredictor, for the reason given at `TREE`."""

TREE: Final = "sklearn.tree._tree.Tree"
"""The nodes of a decision tree. skops does not trust this type (or TreePredictor), because scikit-learn follows the
indices in it without bounds checks, so a crafted file can crash the process. Forests and boosting need it, so we allow
it with two precautions: the bytes were checked against a digest or come from the train stage of the same run, and
`trees.check_trees` checks every index before the model is used."""

LOSSES: Final[frozenset[str]] = frozenset(
    {
        *(
            f"sklearn._loss._loss.Cy{name}"
            for name in (
                "AbsoluteError",
                "ExponentialLoss",
                "HalfBinomialLoss",
                "HalfGammaLoss",
                "HalfMultinomialLoss",
                "HalfPoissonLoss",
                "HalfSquaredError",
                "HalfTweedieLoss",
                "HalfTweedieLossIdentity",
                "HuberLoss",
                "PinballLoss",
            )
        ),
        *(
            f"sklearn.linear_model._sgd_fast.{name}"
            for name in (
                "EpsilonInsensitive",
                "Hinge",
                "ModifiedHuber",
                "SquaredEpsilonInsensitive",
                "SquaredHinge",
            )
        ),
    }
)
"""Compiled loss functions."""

FUNCTIONS: Final[frozenset[str]] = frozenset(
    f"sklearn.feature_selection._univariate_selection.{name}" for name in ("chi2", "f_classif", "f_regression")
)
"""Functions of scikit-learn that a fitted selector names."""

SCALARS: Final[frozenset[str]] = frozenset(
    {
        *(f"builtins.{name}" for name in ("bool", "float", "int", "str")),
        *(f"numpy.{name}{bits}" for name in ("int", "uint") for bits in (8, 16, 32, 64)),
        *(f"numpy.{name}" for name in ("bool", "bool_", "float16", "float32", "float64", "str_", "object_")),
    }
)
"""Types of plain values."""


def public_name(path: str) -> str:
    """The public import path of a scikit-learn class: `sklearn.svm._classes.SVC` becomes `sklearn.svm.SVC`."""
    package, *middle, name = path.split(".")
    return ".".join((package, *middle[:1], name))
