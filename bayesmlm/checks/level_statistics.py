"""Test statistics of each level, of an observed response and of replicated ones alike.

All are functions of the response and the rows alone: the residuals e of its least squares on
the fixed columns (of families without a scale, of the response less its replicated mean, over
its replicated SD). The observed response and every replicate go the same way, so that p-values
come from exchangeable numbers and need no distribution of the statistic.

    level 1   skewness and kurtosis of the residuals less each group's own fit
              dispersion  of counts: their sum of squares over the variance that the family
                          has at the means of the groups
              spread      Bartlett's statistic of their variances s_j² within groups,
                          sum v_j log(s² / s_j²), v_j degrees of freedom
    level 2   sd          SD of the groups' means of e
              bimodality  (skewness² + 1) / kurtosis of the groups' standardised means or slopes
              extreme     their largest distance from their mean, in their SDs (Grubbs)
              slope       F of a predictor's slopes by group: their spread about the common slope
                          over the residual variance

References
----------
Gelman, Meng & Stern (1996), Statistica Sinica 6, 733–807;
Marshall & Spiegelhalter (2003), doi:10.1002/sim.1403;
Bartlett (1937), doi:10.1098/rspa.1937.0109;
Grubbs (1950), doi:10.1214/aoms/1177729885;
Knapp (2007), doi:10.22237/jmasm/1177992120, of bimodality.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.crossproducts import by_group, orthonormal
from bayesmlm.design import Design, RandomBlock

Array = NDArray[np.float64]

FLOOR = 1e-6
"""Share of the variance of a column, or of the residuals, that counts as none."""

SWEEPS = 3
"""Rounds in which the fits of crossed groups are taken out."""

UPPER, BOTH = "upper", "both"
"""Which tails of a statistic are against the model."""


@dataclass(frozen=True)
class Statistic:
    """One test statistic.

    Parameters
    ----------
    level
        Of the model, 1 or 2.
    group
        The grouping; empty at level 1 but for the spread between groups.
    what
        ``"dispersion"``, ``"skewness"``, ``"kurtosis"``, ``"spread"``, ``"sd"``,
        ``"bimodality"``, ``"extreme"`` or ``"slope"``; of the prior ``"mean"``, ``"within"`` and
        ``"between"``.
    of
        The effect or predictor.
    tails
        ``"upper"`` or ``"both"``.
    """

    level: int
    group: str
    what: str
    of: str = ""
    tails: str = UPPER


@dataclass(frozen=True)
class GroupSums:
    """Sums over the groups of one grouping, and the least squares of its effect columns.

    Parameters
    ----------
    block
        The grouping and its columns.
    candidates
        Names and columns, shape (N, K), of predictors whose slope does not vary by group.
    """

    block: RandomBlock
    candidates: tuple[tuple[str, ...], Array]

    @cached_property
    def matrix(self) -> Any:
        """Sums by group as a sparse matrix of shape (J, N)."""
        from scipy.sparse import csr_array

        codes, J = self.block.grouping.codes, self.block.grouping.size
        N = len(codes)
        return csr_array((np.ones(N), (codes, np.arange(N))), shape=(J, N))

    @cached_property
    def inverse(self) -> Array:
        """Generalised inverses of Z_j'Z_j, shape (J, q, q)."""
        Z, grouping = self.block.Z, self.block.grouping
        return np.linalg.pinv(
            by_group(Z, Z, grouping.codes, grouping.size), rcond=1e-10, hermitian=True
        )

    @cached_property
    def free(self) -> Array:
        """Rows of each group less the rank of its columns, shape (J,)."""
        Z, grouping = self.block.Z, self.block.grouping
        products = by_group(Z, Z, grouping.codes, grouping.size)
        rank = np.linalg.matrix_rank(products, tol=None, hermitian=True)
        return np.asarray(grouping.counts - rank, dtype=float)

    def total(self, E: Array) -> Array:
        """Return the sums of rows by group, (S, N) to (S, J)."""
        return np.asarray((self.matrix @ E.T).T)

    def mean(self, E: Array) -> Array:
        """Return the means of rows by group, (S, N) to (S, J)."""
        return self.total(E) / self.block.grouping.counts

    def coefficients(self, E: Array) -> Array:
        """Return the least-squares coefficients of each group, shape (S, J, q)."""
        Z = self.block.Z
        moments = np.stack([self.total(E * z) for z in Z.T], axis=-1)
        return np.asarray(np.einsum("jab,sjb->sja", self.inverse, moments))

    def without_fit(self, E: Array) -> Array:
        """Return rows less their group's least-squares fit, shape (S, N)."""
        found, codes = self.coefficients(E), self.block.grouping.codes
        out = E.copy()
        for k, z in enumerate(self.block.Z.T):
            out -= z * found[:, codes, k]
        return out

    @cached_property
    def determined(self) -> NDArray[np.bool_]:
        """Which groups determine each of their coefficients, shape (J, q)."""
        Z, grouping = self.block.Z, self.block.grouping
        products = by_group(Z, Z, grouping.codes, grouping.size)
        total = np.einsum("jaa->a", products) / grouping.size
        fitted = np.einsum("jab,jbc->jac", self.inverse, products)
        own = np.abs(np.einsum("jaa->ja", fitted) - 1) < FLOOR
        return own & (np.einsum("jaa->ja", products) > FLOOR * total)

    @cached_property
    def slopes(self) -> tuple[tuple[str, Array, Array], ...]:
        """Candidates that vary within groups: name, column less the groups' fit, its squares."""
        found = []
        for name, x in zip(*self.candidates[:1], self.candidates[1].T, strict=True):
            inside = self.without_fit(x[None])[0]
            squares = self.total(inside[None] ** 2)[0]
            used = squares > FLOOR * ((x - x.mean()) ** 2).mean()
            if used.sum() > 2:
                keep = used[self.block.grouping.codes]
                found.append((name, np.where(keep, inside, 0.0), np.where(used, squares, np.inf)))
        return tuple(found)


def candidates(design: Design, block: RandomBlock) -> tuple[tuple[str, ...], Array]:
    """Return the fixed columns whose slope does not vary over a grouping."""
    basis = orthonormal(block.Z, 1.0)[0]
    chosen = []
    for k, name in enumerate(design.coef):
        x = design.X[:, k]
        left = x - basis @ (basis.T @ x)
        if name != names.INTERCEPT and (left**2).sum() > FLOOR * (x**2).sum():
            chosen.append(k)
    return tuple(design.coef[k] for k in chosen), design.X[:, chosen]


class Moments:
    """Running mean and SD over replicates, of values of one shape.

    Notes
    -----
    Batches are joined by the formulas of Chan, Golub & LeVeque (1983),
    doi:10.1080/00031305.1983.10483115.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Array = np.zeros(1)
        self.squares: Array = np.zeros(1)

    def add(self, values: Array) -> None:
        """Take more replicates, shape (S, …)."""
        S, mean = len(values), values.mean(axis=0)
        gap, whole = mean - self.mean, self.count + S
        self.squares = self.squares + values.var(axis=0) * S + gap**2 * (self.count * S / whole)
        self.mean = self.mean + gap * (S / whole)
        self.count = whole

    @property
    def sd(self) -> Array:
        """The SD of all replicates so far."""
        return np.asarray(np.sqrt(self.squares / self.count))


@dataclass(frozen=True)
class Residuals:
    """How responses become the residuals that statistics are made of.

    Parameters
    ----------
    design
        The model.
    centre, scale
        Of each row, shape (N,).
    """

    design: Design
    centre: Array
    scale: Array

    @cached_property
    def basis(self) -> Array:
        """Orthonormal columns that span the scaled fixed part."""
        return orthonormal(self.design.X / self.scale[:, None], 1.0)[0]

    def __call__(self, Y: Array) -> Array:
        """Return residuals of responses of shape (S, N)."""
        design = self.design
        values = design.family.on_link_scale(Y) if design.family.has_scale else Y
        E = (values - self.centre) / self.scale
        return np.asarray(E - (E @ self.basis) @ self.basis.T)


def residuals_of(design: Design, moments: Moments) -> Residuals:
    """Return the residuals of a design, given the moments of its replicated response."""
    if design.family.has_scale:
        precision = design.outcome.rows.get("precision", np.ones(len(design.y)))
        known = design.outcome.rows.get("se", 1 / np.sqrt(precision))
        return Residuals(design, design.offset, np.asarray(known))
    smallest = 0.1 * np.sqrt((moments.sd**2).mean()) or 1.0
    return Residuals(design, moments.mean, np.maximum(moments.sd, smallest))


def binary(design: Design) -> bool:
    """Whether the spread and the density of a response follow from its mean."""
    trials = design.outcome.rows.get("trials", np.ones(1))
    return design.family.name in ("bernoulli", "binomial") and bool((trials == 1).all())


def skewness(x: Array) -> Array:
    """Return the skewness along the last axis."""
    d = x - x.mean(axis=-1, keepdims=True)
    square, n = d * d, x.shape[-1]
    third = np.einsum("...n,...n->...", square, d) / n
    return np.asarray(third / np.maximum(square.mean(axis=-1), 1e-300) ** 1.5)


def kurtosis(x: Array) -> Array:
    """Return the kurtosis along the last axis, 3 of a normal."""
    d = x - x.mean(axis=-1, keepdims=True)
    square, n = d * d, x.shape[-1]
    fourth = np.einsum("...n,...n->...", square, square) / n
    return np.asarray(fourth / np.maximum(square.mean(axis=-1), 1e-300) ** 2)


def farthest(x: Array) -> Array:
    """Return the largest distance from the mean in SDs, along the last axis."""
    d = np.abs(x - x.mean(axis=-1, keepdims=True))
    return np.asarray(d.max(axis=-1) / np.maximum(x.std(axis=-1), 1e-300))


def bartlett(sums: GroupSums, R: Array) -> Array:
    """Return Bartlett's statistic of residuals less each group's fit, shape (S,)."""
    used = sums.free > 0
    squares, free = sums.total(R**2)[:, used], sums.free[used]
    pooled = squares.sum(axis=1, keepdims=True) / free.sum()
    ratio = np.maximum(squares / free / np.maximum(pooled, 1e-300), FLOOR)
    return np.asarray(-(free * np.log(ratio)).sum(axis=1))


def slope_ratio(sums: GroupSums, R: Array, inside: Array, squares: Array) -> Array:
    """Return the spread of a predictor's slopes by group over what they leave, shape (S,)."""
    moments = sums.total(R * inside)
    own = (moments**2 / squares).sum(axis=1)
    common = moments.sum(axis=1) ** 2 / squares[np.isfinite(squares)].sum()
    return np.asarray((own - common) / ((R**2).sum(axis=1) - own))


@dataclass(frozen=True)
class LevelStatistics:
    """All statistics of a design.

    Parameters
    ----------
    design
        The model.
    residuals
        How they are made.
    """

    design: Design
    residuals: Residuals

    @cached_property
    def sums(self) -> tuple[GroupSums, ...]:
        """One a grouping."""
        design = self.design
        return tuple(GroupSums(block, candidates(design, block)) for block in design.random)

    @property
    def dispersed(self) -> bool:
        """Whether responses are counts, of more than one trial."""
        family = self.design.family
        return family.counts and not family.ordered and not binary(self.design)

    def dispersion(self, Y: Array, R: Array) -> Array:
        """Return squared residuals over the variance at the means of the groups, shape (S,)."""
        trials = self.design.outcome.rows.get("trials")
        size = np.ones_like(Y[:1]) if trials is None else trials[None]
        share = Y.sum(axis=1, keepdims=True) / size.sum() * np.ones_like(size)
        for sums in self.sums[:1]:
            share = (sums.total(Y) / sums.total(size))[:, sums.block.grouping.codes]
        variance = size * share * (1 if trials is None else 1 - share)
        squares = ((R * self.residuals.scale) ** 2).sum(axis=1)
        return np.asarray(squares / np.maximum(variance.sum(axis=1), 1e-300))

    @cached_property
    def shapes(self) -> tuple[tuple[GroupSums, int | None, NDArray[np.bool_]], ...]:
        """Groupings, which of their slopes (None for the means), and the groups used."""
        found: list[tuple[GroupSums, int | None, NDArray[np.bool_]]] = []
        for sums in self.sums:
            found.append((sums, None, np.ones(sums.block.grouping.size, dtype=bool)))
            for k, effect in enumerate(sums.block.effects):
                used = sums.determined[:, k]
                if effect != names.INTERCEPT and used.sum() > 3:
                    found.append((sums, k, used))
        return tuple(found)

    @cached_property
    def listed(self) -> tuple[Statistic, ...]:
        """The statistics in order."""
        found: list[Statistic] = []
        if self.dispersed:
            found.append(Statistic(1, "", "dispersion", tails=BOTH))
        if not binary(self.design):
            found += [
                Statistic(1, "", "skewness", tails=BOTH),
                Statistic(1, "", "kurtosis", tails=BOTH),
            ]
            found += [Statistic(1, sums.block.name, "spread") for sums in self.sums[:1]]
        for sums in self.sums:
            found.append(Statistic(2, sums.block.name, "sd", tails=BOTH))
        for sums, k, _ in self.shapes:
            of = names.INTERCEPT if k is None else sums.block.effects[k]
            found += [Statistic(2, sums.block.name, what, of) for what in ("bimodality", "extreme")]
        for sums in self.sums:
            found += [Statistic(2, sums.block.name, "slope", name) for name, _, _ in sums.slopes]
        return tuple(found)

    def coefficients(self, Y: Array) -> list[Array]:
        """Return the groups' means and slopes, one array of shape (S, groups) a shape."""
        E = self.residuals(Y)
        return [
            (sums.mean(E) if k is None else sums.coefficients(E)[:, :, k])[:, used]
            for sums, k, used in self.shapes
        ]

    def values(self, Y: Array, centre: list[Array], scale: list[Array]) -> Array:
        """Return the statistics of responses, (S, N) to (S, K).

        Parameters
        ----------
        Y
            Responses.
        centre, scale
            Of the groups' means and slopes, as of `coefficients`, one array of shape (groups,)
            each: by these they are standardised.
        """
        E = self.residuals(Y)
        R = E
        for _ in range(1 if len(self.sums) == 1 else SWEEPS):
            for sums in self.sums:
                R = sums.without_fit(R)
        columns: list[Array] = []
        if self.dispersed:
            columns.append(self.dispersion(Y, R))
        if not binary(self.design):
            columns += [skewness(R), kurtosis(R)]
            columns += [bartlett(sums, R) for sums in self.sums[:1]]
        columns += [sums.mean(E).std(axis=1) for sums in self.sums]
        for own, middle, spread in zip(self.coefficients(Y), centre, scale, strict=True):
            z = (own - middle) / spread
            columns += [(skewness(z) ** 2 + 1) / kurtosis(z), farthest(z)]
        for sums in self.sums:
            rest = R if len(self.sums) == 1 else sums.without_fit(R)
            columns += [slope_ratio(sums, rest, *slope[1:]) for slope in sums.slopes]
        return np.stack(columns, axis=1)
