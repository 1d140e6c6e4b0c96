"""Estimators of scikit-learn that a model file may not contain, with the reason."""

from __future__ import annotations

from typing import Final

from perennate.artifacts.formats.classes import ClassTable

UNSERVED: Final[dict[str, ClassTable]] = {
    "finds clusters, and a version is a classifier or a regressor": {
        "sklearn.cluster": frozenset(
            {
                "AffinityPropagation",
                "AgglomerativeClustering",
                "Birch",
                "BisectingKMeans",
                "DBSCAN",
                "HDBSCAN",
                "MeanShift",
                "OPTICS",
                "SpectralBiclustering",
                "SpectralClustering",
                "SpectralCoclustering",
            }
        ),
    },
    "gives another model with another number of threads": {
        "sklearn.cluster": frozenset({"KMeans", "MiniBatchKMeans"}),
    },
    "estimates a distribution, and a version is a classifier or a regressor": {
        "sklearn.covariance": frozenset(
            {
                "EmpiricalCovariance",
                "GraphicalLasso",
                "GraphicalLassoCV",
                "LedoitWolf",
                "MinCovDet",
                "OAS",
                "ShrunkCovariance",
            }
        ),
        "sklearn.mixture": frozenset({"BayesianGaussianMixture", "GaussianMixture"}),
        "sklearn.neighbors": frozenset({"KernelDensity"}),
    },
    "finds outliers, and a version is a classifier or a regressor": {
        "sklearn.covariance": frozenset({"EllipticEnvelope"}),
        "sklearn.ensemble": frozenset({"IsolationForest"}),
        "sklearn.linear_model": frozenset({"SGDOneClassSVM"}),
        "sklearn.neighbors": frozenset({"LocalOutlierFactor"}),
        "sklearn.svm": frozenset({"OneClassSVM"}),
    },
    "holds a search tree, whose indices scikit-learn follows without checks": {
        "sklearn.manifold": frozenset({"Isomap", "LocallyLinearEmbedding"}),
        "sklearn.neighbors": frozenset(
            {
                "KNeighborsClassifier",
                "KNeighborsRegressor",
                "KNeighborsTransformer",
                "NearestNeighbors",
                "RadiusNeighborsClassifier",
                "RadiusNeighborsRegressor",
                "RadiusNeighborsTransformer",
            }
        ),
    },
    "cannot transform rows that it was not fitted on": {
        "sklearn.manifold": frozenset({"MDS", "ClassicalMDS", "SpectralEmbedding", "TSNE"}),
    },
    "needs several targets, and a version predicts one: use PLSRegression": {
        "sklearn.cross_decomposition": frozenset({"CCA", "PLSCanonical", "PLSSVD"}),
    },
    "does not read a table of columns": {
        "sklearn.feature_extraction": frozenset({"DictVectorizer", "FeatureHasher"}),
        "sklearn.feature_extraction.image": frozenset({"PatchExtractor"}),
        "sklearn.feature_extraction.text": frozenset(
            {"CountVectorizer", "HashingVectorizer", "TfidfTransformer", "TfidfVectorizer"}
        ),
        "sklearn.isotonic": frozenset({"IsotonicRegression"}),
    },
    "predicts several targets, and a version predicts one": {
        "sklearn.linear_model": frozenset(
            {"MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"}
        ),
        "sklearn.preprocessing": frozenset({"MultiLabelBinarizer"}),
        "sklearn.multioutput": frozenset(
            {"ClassifierChain", "MultiOutputClassifier", "MultiOutputRegressor", "RegressorChain"}
        ),
    },
    "is a search and not a model: save its best_estimator_": {
        "sklearn.model_selection": frozenset(
            {"GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"}
        ),
    },
    "holds the scorer of its search: save a FixedThresholdClassifier with its estimator_ and best_threshold_": {
        "sklearn.model_selection": frozenset({"TunedThresholdClassifierCV"}),
    },
    "is deprecated in scikit-learn: use SGDClassifier or SGDRegressor": {
        "sklearn.linear_model": frozenset({"PassiveAggressiveClassifier", "PassiveAggressiveRegressor"}),
    },
    "is experimental in scikit-learn": {"sklearn.impute": frozenset({"IterativeImputer"})},
}
"""Classes by the reason why no model file may contain them. The reason ends a sentence that starts with the class."""

REFUSED_PARAMETERS: Final = {
    f"sklearn.semi_supervised.{name}": "`kernel: knn`: holds a search tree"
    for name in ("LabelPropagation", "LabelSpreading")
}
"""Parameters of allowed classes with which their model file is refused, by class."""

_REASONS: Final = {name: reason for reason, table in UNSERVED.items() for classes in table.values() for name in classes}


def why_unserved(path: str) -> str:
    """The reason by the path of a class of scikit-learn, public or not; empty if there is none."""
    return _REASONS.get(path.rpartition(".")[2], "") if path.startswith("sklearn.") else ""
