"""Priors as lines of a model: ``g01 ~ Normal(0, 41.58)``."""

from __future__ import annotations

from bayesmlm import names
from bayesmlm.priors import Priors
from bayesmlm.spec.symbols import escape


def prior_lines(priors: Priors) -> tuple[tuple[str, str], ...]:
    """Return (parameter, distribution) of every prior."""
    found: list[tuple[str, str]] = []
    for name, prior in priors.coefficients.items():
        at_means = name == names.INTERCEPT and priors.intercept_at_means
        found.append((f"{name} at mean predictors" if at_means else name, str(prior)))
    for parameter, own in priors.predictors.items():
        for name, prior in own.coefficients.items():
            at_means = name == names.INTERCEPT and own.intercept_at_means
            label = names.parameter_coef(parameter, name)
            found.append((f"{label} at mean predictors" if at_means else label, str(prior)))
    for group, effects in priors.sds.items():
        found += [(f"{names.sd(group)}[{effect}]", str(prior)) for effect, prior in effects.items()]
    found += [(names.corr(group), str(lkj)) for group, lkj in priors.correlations.items()]
    found += [(f"{names.nu(group)} - 2", str(prior)) for group, prior in priors.freedom.items()]
    for name, prior in priors.further.items():
        at_means = name == names.THRESHOLDS and priors.intercept_at_means
        found.append((f"{name} at mean predictors" if at_means else name, str(prior)))
    found += [(name, str(prior)) for name, prior in priors.latent.items()]
    return tuple(found)


def prior_latex(lines: tuple[tuple[str, str], ...]) -> str:
    """Return the lines in LaTeX."""
    rows = [rf"\text{{{escape(name)}}} &\sim \text{{{escape(what)}}}" for name, what in lines]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
