"""The hyperparameters psi of a model, on the whole line, and back.

psi holds, in this order: per grouping the log SDs of its effects, per block of correlated
effects the inverse hyperbolic tangents of its partial correlations; and the family's further
parameters (the log residual SD of a Gaussian model), those without a formula of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.families import Parameter
from bayesmlm.families.parameter import ORDERED
from bayesmlm.priors import Priors, cholesky_factor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroupSlots:
    """Where one grouping's hyperparameters lie in psi.

    Parameters
    ----------
    block
        The random block, q effects.
    sds
        Positions of the q log SDs.
    partials
        Positions of the partial correlations, one array a block of correlated effects.
    """

    block: RandomBlock
    sds: NDArray[np.int64]
    partials: tuple[NDArray[np.int64], ...]

    def factor(self, psi: Array) -> Array:
        """Return Cholesky factors of the effects' covariance matrices.

        Parameters
        ----------
        psi
            Shape (S, d).

        Returns
        -------
        array, shape (S, q, q)
            Lower triangular in the order of the effects within each block.
        """
        q = len(self.block.effects)
        L = np.zeros((len(psi), q, q))
        sds = np.exp(psi[:, self.sds])
        for members, at in zip(self.block.blocks, self.partials, strict=True):
            rows = cholesky_factor(np.tanh(psi[:, at]).T, len(members), np.sqrt)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    L[:, members[i], members[j]] = value * sds[:, members[i]]
        return L

    @property
    def pair_positions(self) -> NDArray[np.int64]:
        """Position of each pair's partial correlation, -1 where independent, shape (q, q)."""
        q = len(self.block.effects)
        at = np.full((q, q), -1, dtype=np.int64)
        for members, own in zip(self.block.blocks, self.partials, strict=True):
            pairs = [(i, j) for i in range(len(members)) for j in range(i)]
            for (i, j), position in zip(pairs, own, strict=True):
                at[members[i], members[j]] = position
        return at

    def correlations(self, psi: Array) -> Array:
        """Return the correlation of each correlated pair, shape (S, K)."""
        L = self.factor(psi)
        T = L @ L.transpose(0, 2, 1)
        sds = np.sqrt(np.einsum("saa->sa", T))
        pairs = self.block.pairs
        found = [T[:, i, j] / (sds[:, i] * sds[:, j]) for i, j in pairs]
        return np.stack(found, axis=1) if pairs else np.empty((len(psi), 0))


@dataclass(frozen=True)
class FurtherSlots:
    """Where one further parameter of the family lies in psi.

    Parameters
    ----------
    parameter
        Which.
    at
        Positions of its entries.
    """

    parameter: Parameter
    at: NDArray[np.int64]

    def natural(self, psi: Array) -> Array:
        """Return the parameter, shape (S,), or (S, K) of an ordered one."""
        values = self.parameter.natural(psi[:, self.at])
        return values if self.parameter.support == ORDERED else values[:, 0]


@dataclass(frozen=True)
class Hyperparameters:
    """The layout of psi for one model.

    Parameters
    ----------
    groups
        One a grouping, in the order of the design.
    further
        One a further parameter, in the order of the family's kernel.
    size
        Length of psi, d.
    """

    groups: tuple[GroupSlots, ...]
    further: tuple[FurtherSlots, ...]
    size: int

    @property
    def sigma(self) -> int | None:
        """Position of log sigma, or None where it is no parameter."""
        found = [int(s.at[0]) for s in self.further if s.parameter.name == names.SIGMA]
        return found[0] if found else None

    @property
    def further_positions(self) -> NDArray[np.int64]:
        """Positions of the entries of all further parameters."""
        empty = np.empty(0, dtype=np.int64)
        return np.concatenate([*(slots.at for slots in self.further), empty]).astype(np.int64)

    def line(self, psi: Array) -> Array:
        """Return all further parameters on the whole line, in the kernel's order, shape (S, K)."""
        return np.ascontiguousarray(psi[:, self.further_positions])

    def others(self, psi: Array, shift: Array) -> dict[str, Array]:
        """Return the further parameters as displayed, by name.

        Parameters
        ----------
        psi
            Shape (S, d).
        shift
            By how much thresholds at x = 0 exceed those of psi, shape (S,).

        Returns
        -------
        dict of arrays
            Shape (S,), or (S, K) of an ordered parameter.
        """
        found = {slots.parameter.name: slots.natural(psi) for slots in self.further}
        for slots in self.further:
            if slots.parameter.support == ORDERED:
                found[slots.parameter.name] += shift[:, None]
        return found

    def residual_sd(self, psi: Array) -> Array:
        """Return sigma, one where sampling SDs are known; shape (S,)."""
        return np.ones(len(psi)) if self.sigma is None else np.exp(psi[:, self.sigma])

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entries of psi."""
        found = [""] * self.size
        for slots in self.groups:
            group = slots.block.name
            for at, effect in zip(slots.sds, slots.block.effects, strict=True):
                found[at] = f"log {names.sd(group)}[{effect}]"
            for at in np.concatenate([*slots.partials, np.empty(0, dtype=int)]).astype(int):
                found[at] = f"atanh partial correlation {at} of {group}"
        for own in self.further:
            for position, label in zip(own.at, own.parameter.on_line, strict=True):
                found[position] = label
        return tuple(found)


def formulas(design: Design) -> str | None:
    """Return which further parameters have a formula, in words, or None."""
    found = [part.target for part in design.further]
    if not found:
        return None
    return f"{' and '.join(found)} {'have formulas' if len(found) > 1 else 'has a formula'}"


def hyperparameters(design: Design) -> Hyperparameters:
    """Return the layout of psi for a design."""
    at = 0
    groups = []
    for block in design.blocks:
        sds = np.arange(at, at + len(block.effects))
        at += len(sds)
        partials = []
        for members in block.blocks:
            n_pairs = len(members) * (len(members) - 1) // 2
            partials.append(np.arange(at, at + n_pairs))
            at += n_pairs
        groups.append(GroupSlots(block, sds, tuple(partials)))
    further = []
    for parameter in design.parameters:
        further.append(FurtherSlots(parameter, np.arange(at, at + parameter.size)))
        at += parameter.size
    return Hyperparameters(tuple(groups), tuple(further), at)


def log_prior(layout: Hyperparameters, priors: Priors, psi: Array) -> Array:
    """Return the log prior density of psi, change of variables included; shape (S,)."""
    total = np.zeros(len(psi))
    for slots in layout.groups:
        for at, effect in zip(slots.sds, slots.block.effects, strict=True):
            prior = priors.sds[slots.block.name][effect]
            total += prior.log_density(np.exp(psi[:, at])) + psi[:, at]
        for members, at in zip(slots.block.blocks, slots.partials, strict=True):
            if len(members) > 1:
                lkj = priors.correlations[slots.block.name]
                total += log_partials(psi[:, at], lkj.shapes(len(members)))
    for own in layout.further:
        prior, values = priors.further[own.parameter.name], psi[:, own.at]
        total += prior.log_density(own.parameter.natural(values)).sum(axis=1)
        total += own.parameter.log_jacobian(values)
    return total


def log_partials(x: Array, shapes: Array) -> Array:
    """Return the log density of x = atanh(p), p = 2 Beta(b, b) - 1; shape (S,).

    Parameters
    ----------
    x
        Shape (S, K).
    shapes
        b of each, shape (K,).
    """
    from scipy.special import betaln

    # log(1 - tanh(x)²) without loss for large |x|
    log_rest = 2 * (np.log(2) - np.abs(x) - np.log1p(np.exp(-2 * np.abs(x))))
    constant = betaln(shapes, shapes) + (2 * shapes - 1) * np.log(2)
    return np.asarray((shapes * log_rest - constant).sum(axis=1))
