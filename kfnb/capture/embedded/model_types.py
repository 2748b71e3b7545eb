"""The types of a model that are loaded without asking."""

from __future__ import annotations


def kfnb_trusted() -> list[str]:
    """Types beyond skops' own that are loaded without asking: each only holds numbers, or computes with them."""
    return [
        *kfnb_dotted("sklearn.tree._tree", "Tree"),
        *kfnb_dotted("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor"),
        *kfnb_dotted("sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper"),
        *kfnb_dotted("sklearn.neighbors._kd_tree", "KDTree KDTree32 KDTree64"),
        *kfnb_dotted("sklearn.neighbors._ball_tree", "BallTree BallTree32 BallTree64"),
        *kfnb_dotted(
            "sklearn.metrics._dist_metrics",
            "EuclideanDistance EuclideanDistance32 EuclideanDistance64 ManhattanDistance ManhattanDistance64"
            " ChebyshevDistance ChebyshevDistance64 MinkowskiDistance MinkowskiDistance64 HammingDistance64"
            " JaccardDistance64",
        ),
        *kfnb_dotted("sklearn.neural_network._stochastic_optimizers", "AdamOptimizer SGDOptimizer"),
        *kfnb_dotted("sklearn.calibration", "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling"),
        *kfnb_dotted("sklearn.cluster._bisect_k_means", "_BisectingTree"),
        *kfnb_dotted("sklearn.cluster._kmeans", "_kmeans_single_lloyd _kmeans_single_elkan"),
        *kfnb_dotted(
            "sklearn.feature_selection._univariate_selection", "chi2 f_classif f_regression r_regression"
        ),
        *kfnb_dotted("sklearn.feature_selection._mutual_info", "mutual_info_classif mutual_info_regression"),
        *kfnb_dotted(
            "sklearn.gaussian_process.kernels",
            "CompoundKernel ConstantKernel DotProduct Exponentiation ExpSineSquared Matern PairwiseKernel Product"
            " RBF RationalQuadratic Sum WhiteKernel",
        ),
        *kfnb_dotted(
            "sklearn.gaussian_process._gpc",
            "GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace",
        ),
        *kfnb_dotted(
            "sklearn._loss.loss",
            "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss"
            " HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss",
        ),
        *kfnb_dotted(
            "sklearn._loss.link", "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit"
        ),
        *kfnb_dotted(
            "sklearn._loss._loss",
            "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss"
            " CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss"
            " CyPinballLoss",
        ),
        *kfnb_dotted("sklearn.utils._bunch", "Bunch"),
        *kfnb_dotted("sklearn.utils.validation", "check_array"),
        *kfnb_dotted("sklearn.metrics._scorer", "_PassthroughScorer"),
        *kfnb_dotted("sklearn.model_selection._split", "KFold StratifiedKFold"),
        *kfnb_dotted("functools", "partial"),  # it is not called, and what it holds is judged by itself
        *kfnb_dotted("scipy.interpolate._bsplines", "BSpline"),
        *kfnb_dotted("numpy", "dtype mean median"),
        *kfnb_dotted("collections", "OrderedDict defaultdict"),
        *kfnb_dotted("xgboost.core", "Booster"),
        *kfnb_dotted(
            "xgboost.sklearn", "XGBClassifier XGBRFClassifier XGBRFRegressor XGBRanker XGBRegressor"
        ),
        *kfnb_dotted("lightgbm.basic", "Booster"),
        *kfnb_dotted("lightgbm.sklearn", "LGBMClassifier LGBMModel LGBMRanker LGBMRegressor"),
    ]


def kfnb_dotted(module: str, names: str) -> list[str]:
    """Whole names of the names of a module."""
    return [f"{module}.{name}" for name in names.split()]
