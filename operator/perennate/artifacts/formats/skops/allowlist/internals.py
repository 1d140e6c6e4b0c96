"""Types inside fitted estimators that a skops model may contain: plain objects, losses, functions and values."""

from __future__ import annotations

from typing import Final

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
        "sklearn.calibration._TemperatureScaling",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.isotonic.IsotonicRegression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        *(
            f"sklearn.gaussian_process.kernels.{name}"
            for name in (
                *("CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern"),
                *("PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
            )
        ),
        "sklearn.multiclass._ConstantPredictor",
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
`soundness.trees` checks every index before the model is used."""

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
    {
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        *(
            f"sklearn.feature_selection._univariate_selection.{name}"
            for name in ("chi2", "f_classif", "f_regression", "r_regression")
        ),
        *(f"sklearn.feature_selection._mutual_info.mutual_info_{name}" for name in ("classif", "regression")),
        *(
            f"numpy.{name}"
            for name in (
                *("absolute", "cbrt", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "negative", "positive"),
                *("reciprocal", "rint", "sign", "sqrt", "square", "trunc", "floor", "ceil", "deg2rad", "rad2deg"),
                *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh"),
                *("arctanh", "mean", "median", "max", "min"),
            )
        ),
        *(f"scipy.special.{name}" for name in ("expit", "logit")),
        *(f"scipy.special.{module}.{name}" for module in ("_ufuncs", "_special_ufuncs") for name in ("expit", "logit")),
    }
)
"""Functions that an estimator of a file may name. Each computes numbers from its arguments and does nothing else, with
any arguments: a crafted file can choose them."""

PARTIALS: Final[frozenset[str]] = frozenset({"sklearn.utils.validation.check_array"})
"""Functions that a `functools.partial` may fix arguments of. scikit-learn saves them itself."""

SPARSE: Final[frozenset[str]] = frozenset(
    f"scipy.sparse._{form}.{form}_{kind}" for form in ("csr", "csc") for kind in ("array", "matrix")
)
"""Sparse matrices. `soundness.matrices` checks their indices before the model is used."""

TUPLES: Final[frozenset[str]] = frozenset({"builtins.tuple"})
"""Types of tuples."""

SCALARS: Final[frozenset[str]] = frozenset(
    {
        *(f"builtins.{name}" for name in ("bool", "float", "int", "str")),
        *(f"numpy.{name}{bits}" for name in ("int", "uint") for bits in (8, 16, 32, 64)),
        *(f"numpy.{name}" for name in ("bool", "bool_", "float16", "float32", "float64", "str_", "object_")),
    }
)
"""Types of plain values."""

TYPES: Final[frozenset[str]] = SCALARS | frozenset(
    {"builtins.object", *(f"numpy.{name}" for name in ("number", "integer", "floating", "generic"))}
)
"""Types that are named as such: keys of a dictionary, and column types of `make_column_selector`."""
