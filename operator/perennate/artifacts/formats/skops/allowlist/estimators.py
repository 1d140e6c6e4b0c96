"""Estimators that a skops model may contain, by public module."""

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
    "sklearn.gaussian_process": frozenset({"GaussianProcessClassifier"}),
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
    "sklearn.semi_supervised": frozenset({"LabelPropagation", "LabelSpreading"}),
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
    "sklearn.gaussian_process": frozenset({"GaussianProcessRegressor"}),
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
    "sklearn.cluster": frozenset({"FeatureAgglomeration"}),
    "sklearn.decomposition": frozenset(
        {
            "DictionaryLearning",
            "FactorAnalysis",
            "FastICA",
            "IncrementalPCA",
            "KernelPCA",
            "LatentDirichletAllocation",
            "MiniBatchDictionaryLearning",
            "MiniBatchNMF",
            "MiniBatchSparsePCA",
            "NMF",
            "PCA",
            "SparsePCA",
            "TruncatedSVD",
        }
    ),
    "sklearn.ensemble": frozenset({"RandomTreesEmbedding"}),
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
    "sklearn.impute": frozenset({"KNNImputer", "MissingIndicator", "SimpleImputer"}),
    "sklearn.kernel_approximation": frozenset(
        {"AdditiveChi2Sampler", "Nystroem", "PolynomialCountSketch", "RBFSampler", "SkewedChi2Sampler"}
    ),
    "sklearn.neighbors": frozenset({"NeighborhoodComponentsAnalysis"}),
    "sklearn.neural_network": frozenset({"BernoulliRBM"}),
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
            "SplineTransformer",
            "StandardScaler",
            "TargetEncoder",
        }
    ),
    "sklearn.random_projection": frozenset({"GaussianRandomProjection", "SparseRandomProjection"}),
}
"""Classes for `spec.trainer.estimator.preprocessing`, by public module."""

COMPOSITES: Final[dict[str, frozenset[str]]] = {
    "sklearn.compose": frozenset({"ColumnTransformer", "TransformedTargetRegressor"}),
    "sklearn.decomposition": frozenset({"SparseCoder"}),
    "sklearn.ensemble": frozenset({"StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor"}),
    "sklearn.feature_selection": frozenset({"RFE", "RFECV", "SelectFromModel", "SequentialFeatureSelector"}),
    "sklearn.frozen": frozenset({"FrozenEstimator"}),
    "sklearn.model_selection": frozenset({"FixedThresholdClassifier"}),
    "sklearn.multiclass": frozenset({"OneVsOneClassifier", "OneVsRestClassifier", "OutputCodeClassifier"}),
    "sklearn.pipeline": frozenset({"FeatureUnion", "Pipeline"}),
    "sklearn.preprocessing": frozenset({"FunctionTransformer", "KernelCenterer", "LabelBinarizer", "LabelEncoder"}),
    "sklearn.semi_supervised": frozenset({"SelfTrainingClassifier"}),
}
"""Classes that contain or support other estimators. A model from `spec.trainer.container` may use them.
FunctionTransformer is harmless in a file: the function that it calls is a type of its own, and only those in
`FUNCTIONS` and `PARTIALS` are allowed."""


def public_name(path: str) -> str:
    """The public import path of a scikit-learn class: `sklearn.svm._classes.SVC` becomes `sklearn.svm.SVC`."""
    package, *middle, name = path.split(".")
    return ".".join((package, *middle[:1], name))
