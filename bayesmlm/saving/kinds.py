"""The classes that a saved fit may hold: these and no others are made when it is read."""

from __future__ import annotations

from functools import cache

from bayesmlm.design import (
    Design,
    LatentColumn,
    LatentMean,
    LatentMeans,
    Levels,
    ParameterDesign,
    RandomBlock,
)
from bayesmlm.design.encoding import Encoding
from bayesmlm.design.grouping import Grouping
from bayesmlm.design.levels import Level
from bayesmlm.design.response import Outcome
from bayesmlm.engines import ENGINES
from bayesmlm.families import FAMILIES, Parameter
from bayesmlm.families.link import LINKS
from bayesmlm.priors import LKJ, PRIORS, FixedPriors, Priors
from bayesmlm.spec import (
    Declarations,
    ModelSpec,
    Predictor,
    RandomTerm,
    Residual,
    Response,
    Term,
)

SPEC = (Term, RandomTerm, Predictor, Residual, Response, Declarations, ModelSpec)
LATENT = (LatentMeans, LatentMean, LatentColumn)
DESIGN = (
    *(Design, ParameterDesign, RandomBlock, Encoding, Grouping, Level, Levels, Outcome, Parameter),
    *LATENT,
)


@cache
def kinds() -> dict[str, type]:
    """Return every class by its name; each is a frozen dataclass."""
    links = tuple(type(link) for link in LINKS.values())
    found = (
        *SPEC,
        *DESIGN,
        *FAMILIES.values(),
        *links,
        Priors,
        FixedPriors,
        LKJ,
        *PRIORS.values(),
        *ENGINES.values(),
    )
    return {kind.__name__: kind for kind in found}
