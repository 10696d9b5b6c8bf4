"""Every fixed effect and variance component of a fit, in one layout whatever the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm import names
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten
from bayesmlm.summaries.maximum import ERRORS, wald

if TYPE_CHECKING:
    import pandas as pd

FIXED, VARIANCE = "fixed effects", "variance components"

COLUMNS = ("estimate", "sd", "lower", "upper")


def parameters(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a parameter, random effects left out.

    Returns
    -------
    DataFrame
        Index (part, parameter): ``"fixed effects"`` by coefficient; SDs, correlations,
        sigma and what else the model has as ``"variance components"``. ``estimate`` is the
        posterior mean, or the maximum, ``sd`` the posterior SD or the standard error; ``sd``
        and bounds are missing where the engine has none.
    """
    import pandas as pd

    posterior = result.posterior
    groups = {block.dim for block in result.design.blocks}
    parts = result.design.parts
    betas = {names.of_parameter(names.BETA, part.target): part.target for part in parts}
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for name, array in posterior.items():
        if groups & set(array.dims):
            continue
        if name == names.BETA and ERRORS in result.tree.children:
            for label, row in wald(result, probability).iterrows():
                found[FIXED, str(label)] = (row["estimate"], row["se"], row["lower"], row["upper"])
            continue
        draws, index = flatten(array)
        columns = describe(draws, probability)
        for k, at in enumerate(index):
            label = f"{name}[{', '.join(at)}]"
            if name in betas:
                label = names.parameter_coef(betas[str(name)], " ".join(at))
            part = FIXED if name in betas else VARIANCE
            values = tuple(float(columns[key][k]) for key in ("mean", "sd", "lower", "upper"))
            found[part, label if at else str(name)] = values
    rows = pd.MultiIndex.from_tuples(list(found), names=["part", "parameter"])
    return pd.DataFrame(list(found.values()), index=rows, columns=list(COLUMNS))
