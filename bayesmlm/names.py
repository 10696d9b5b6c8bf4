"""The only place where posterior variables and dimensions are named."""

from __future__ import annotations

INTERCEPT = "Intercept"
COEF = "coef"
OBS = "obs"
BETA = "beta"
SIGMA = "sigma"
THRESHOLDS = "thresholds"
THRESHOLD = "threshold"
MU = "mu"
FURTHER = (SIGMA, "nu", "shape", "phi", "zi", "hu", THRESHOLDS)
PSI = "psi"
UNCONSTRAINED = "unconstrained_posterior"

RESERVED = frozenset({COEF, OBS, BETA, *FURTHER, THRESHOLD, "slope", "chain", "draw"}) | {
    "effect",
    "mean",
    "sd",
    "lower",
    "upper",
    "estimate",
    "se",
}
"""Names of variables and dimensions that no grouping may take."""


def safe(name: str) -> str:
    """Return `name` with the characters replaced that stores read as a path."""
    return name.replace("/", "_").replace("\\", "_")


def of_parameter(name: str, parameter: str) -> str:
    """Name of what belongs to a parameter's linear predictor; the location's is plain."""
    return name if parameter == MU else f"{name}_{safe(parameter)}"


def parameter_group(parameter: str, group: str) -> str:
    """Name of the effects of a grouping on a parameter: ``sigma_school``."""
    return group if parameter == MU else f"{parameter}_{group}"


def parameter_coef(parameter: str, coef: str) -> str:
    """Name of a coefficient in a parameter's linear predictor: ``sigma_ses``."""
    return coef if parameter == MU else f"{parameter}_{coef}"


def sd(group: str) -> str:
    """Name of the standard deviations of a grouping's effects."""
    return f"sd_{safe(group)}"


def corr(group: str) -> str:
    """Name of the correlations between a grouping's effects."""
    return f"corr_{safe(group)}"


def effects(group: str) -> str:
    """Name of a grouping's effects, deviations on the scale of the linear predictor."""
    return f"u_{safe(group)}"


def nu(group: str) -> str:
    """Name of the degrees of freedom of a grouping's Student-t effects."""
    return f"nu_{safe(group)}"


def points(group: str) -> str:
    """Name of the mass points of a grouping's effects, deviations as `effects` are."""
    return f"points_{safe(group)}"


def mass(group: str) -> str:
    """Name of the masses of a grouping's points."""
    return f"mass_{safe(group)}"


def membership(group: str) -> str:
    """Name of the probability of each point for each group."""
    return f"membership_{safe(group)}"


def latent(x: str) -> str:
    """Name of the latent group means of a predictor."""
    return f"latent_{safe(x)}"


def latent_parameters(x: str) -> tuple[str, str, str]:
    """Names of the mean, SD between and SD within groups of a predictor with latent means."""
    return f"mu_{safe(x)}", f"tau_{safe(x)}", f"sigma_{safe(x)}"


def point_dim(group: str) -> str:
    """Dimension of the mass points of a grouping."""
    return f"{safe(group)}_point"


def effect_dim(group: str) -> str:
    """Dimension of the effects of a grouping."""
    return f"{safe(group)}_effect"


def pair_dim(group: str) -> str:
    """Dimension of the correlated pairs of effects of a grouping."""
    return f"{safe(group)}_pair"


def pair(first: str, second: str) -> str:
    """Label of a pair of effects."""
    return f"{first}~{second}"


def reserved_for(groups: list[str]) -> frozenset[str]:
    """Return every name that the groupings' variables and dimensions take."""
    coined = (sd, corr, effects, effect_dim, pair_dim, nu, points, mass, membership, point_dim)
    return RESERVED | {coin(group) for group in groups for coin in coined}
