"""The LKJ prior of a correlation matrix, by canonical partial correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import PriorError, message

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LKJ:
    """Density proportional to |R|^(eta - 1) over q × q correlation matrices R.

    Parameters
    ----------
    eta
        One is uniform over correlation matrices; larger values favour zero correlation.

    Notes
    -----
    The canonical partial correlations of R are independent: the one of effects i < j given
    the effects before i (i counted from 0) is 2 Beta(b, b) - 1 with
    b = eta + (q - 2 - i) / 2.

    References
    ----------
    Lewandowski, Kurowicka & Joe (2009), Journal of Multivariate Analysis 100, 1989–2001,
    doi:10.1016/j.jmva.2009.04.008.
    """

    eta: float = 2.0

    def __post_init__(self) -> None:
        number = isinstance(self.eta, int | float | np.number) and not isinstance(self.eta, bool)
        if not number or not 0 < self.eta < np.inf:
            raise PriorError(
                message(f"LKJ(eta={self.eta!r})", "a positive number", "LKJ(2) is the default")
            )

    def __str__(self) -> str:
        return f"LKJ({self.eta:.4g})"

    def shapes(self, q: int) -> Array:
        """Return b of each pair's partial correlation, in the order (0,1), (0,2), (1,2), (0,3)."""
        return np.array([self.eta + (q - 2 - i) / 2 for j in range(q) for i in range(j)])

    def log_density(self, matrix: Array) -> float:
        """Return the normalised log density of a correlation matrix of shape (q, q)."""
        from scipy.special import betaln

        shapes = self.shapes(len(matrix))
        constant = float(np.sum(betaln(shapes, shapes) + (2 * shapes - 1) * np.log(2)))
        return float((self.eta - 1) * np.linalg.slogdet(matrix)[1] - constant)

    def interval(self, q: int, probability: float = 0.95) -> float:
        """Return r such that each correlation lies in (-r, r) with a probability.

        Each correlation is marginally 2 Beta(b, b) - 1 with b = eta + q / 2 - 1.
        """
        from scipy.stats import beta

        b = self.eta + q / 2 - 1
        return float(2 * beta(b, b).ppf((1 + probability) / 2) - 1)

    def pymc(self, name: str, q: int, dims: str | None = None) -> Any:
        """Add the partial correlations to the PyMC model on the context stack.

        Returns
        -------
        tensor
            Values in (-1, 1), one a pair, in the order of `shapes`.
        """
        import pymc as pm

        shapes = self.shapes(q)
        half = pm.Beta(name, shapes, shapes, dims=dims)
        return 2 * half - 1


def cholesky_factor(partial: Any, q: int, sqrt: Any) -> list[list[Any]]:
    """Return the Cholesky factor of the correlation matrix, row by row.

    Parameters
    ----------
    partial
        Partial correlations in the order (0,1), (0,2), (1,2), (0,3), …
    q
        Number of effects.
    sqrt
        Square root for the kind of `partial`: NumPy's or PyTensor's.

    Returns
    -------
    list of rows
        Row j has j + 1 entries: L[j][i] = p_ij prod_{m<i} sqrt(1 - p_mj²).
    """
    rows: list[list[Any]] = []
    k = 0
    for j in range(q):
        left: Any = 1.0
        row = []
        for _ in range(j):
            row.append(partial[k] * left)
            left = left * sqrt(1 - partial[k] ** 2)
            k += 1
        rows.append([*row, left])
    return rows
