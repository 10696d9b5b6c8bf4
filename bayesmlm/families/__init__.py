"""Response families: one file each, listed in `FAMILIES`."""

from __future__ import annotations

from bayesmlm.errors import FamilyError, message, suggestion
from bayesmlm.families.bernoulli import Bernoulli
from bayesmlm.families.beta import BetaFamily
from bayesmlm.families.beta_binomial import BetaBinomial
from bayesmlm.families.binomial import Binomial
from bayesmlm.families.categorical import Categorical
from bayesmlm.families.cumulative import Cumulative
from bayesmlm.families.family import Family
from bayesmlm.families.gamma import GammaFamily
from bayesmlm.families.gaussian import Gaussian
from bayesmlm.families.hurdle_negbinomial import HurdleNegBinomial
from bayesmlm.families.hurdle_poisson import HurdlePoisson
from bayesmlm.families.link import LINKS
from bayesmlm.families.lognormal import LogNormal
from bayesmlm.families.negbinomial import NegBinomial
from bayesmlm.families.parameter import Parameter
from bayesmlm.families.poisson import Poisson
from bayesmlm.families.student import Student
from bayesmlm.families.zero_inflated_negbinomial import ZeroInflatedNegBinomial
from bayesmlm.families.zero_inflated_poisson import ZeroInflatedPoisson

FAMILIES: dict[str, type[Family]] = {
    family.name: family
    for family in (
        Gaussian,
        Student,
        LogNormal,
        GammaFamily,
        BetaFamily,
        Bernoulli,
        Binomial,
        BetaBinomial,
        Poisson,
        NegBinomial,
        Cumulative,
        Categorical,
        ZeroInflatedPoisson,
        ZeroInflatedNegBinomial,
        HurdlePoisson,
        HurdleNegBinomial,
    )
}


def family(name: str, link: str | None = None) -> Family:
    """Return the family of a name, with its canonical link or the one named.

    Raises
    ------
    FamilyError
        If the family is unknown, or does not have the link.
    """
    if name not in FAMILIES:
        raise FamilyError(
            message(
                f"unknown family {name!r}{suggestion(str(name), FAMILIES)}",
                ", ".join(FAMILIES),
                "pass family= one of these names",
            )
        )
    kind = FAMILIES[name]
    chosen = kind.links[0] if link is None else link
    if chosen not in kind.links:
        raise FamilyError(
            message(
                f"the {name} family has no link {link!r}",
                ", ".join(kind.links),
                "leave link out for the canonical one",
            )
        )
    return kind(LINKS[chosen])


__all__ = ["FAMILIES", "Family", "Parameter", "family"]
