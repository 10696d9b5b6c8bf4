"""The rows of a generalized model in the order of its largest grouping's groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.design import Design
from bayesmlm.families.parameter import ORDERED
from bayesmlm.families.rows import add_rows, code
from bayesmlm.graph.fixed import column_means
from bayesmlm.priors import Priors

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class GroupedRows:
    """The data of a generalized model, group after group of the leading grouping.

    Parameters
    ----------
    order
        Index, in the design, of each grouping; the leading one, with most effects, first.
    starts
        First row of each group of the leading grouping, shape (J + 1,).
    X, Z
        Columns, orthogonal and of length sqrt(N): (N, p), and (N, q) by grouping of `order`.
    to_X, to_Z
        C such that the user's columns are X C; Z likewise.
    codes
        Group of each row, shape (N,), by grouping of `order`.
    offset
        Shape (N,).
    rows
        Code of the family, y, known and weights; see `families.rows.add_rows`.
    constant
        What the family's kernel leaves out of the log likelihood.
    """

    order: tuple[int, ...]
    starts: Integers
    X: Array
    Z: tuple[Array, ...]
    to_X: Array
    to_Z: tuple[Array, ...]
    codes: tuple[Integers, ...]
    offset: Array
    rows: tuple[Any, ...]
    constant: float


INSIDE = 0.5
"""A linear predictor that every link allows."""


def grouped_rows(design: Design, priors: Priors) -> GroupedRows:
    """Return the rows of a design that has a grouping and a family with a kernel."""
    blocks = design.random
    order = tuple(
        sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size * len(blocks[k].effects))
    )
    grouping = blocks[order[0]].grouping
    at = np.argsort(grouping.codes, kind="stable")
    length = np.sqrt(len(at))
    X, to_X = orthonormal(fixed_columns(design, priors)[at], length)
    pairs = [orthonormal(blocks[k].Z[at], length) for k in order]
    return GroupedRows(
        order=order,
        starts=np.concatenate([[0], np.cumsum(grouping.counts)]).astype(np.int64),
        X=np.ascontiguousarray(X),
        Z=tuple(np.ascontiguousarray(Z) for Z, _ in pairs),
        to_X=to_X,
        to_Z=tuple(C for _, C in pairs),
        codes=tuple(np.asarray(blocks[k].grouping.codes[at], dtype=np.int64) for k in order),
        offset=np.array(design.offset[at], dtype=float),
        rows=outcome(design, at),
        constant=left_out(design),
    )


def fixed_columns(design: Design, priors: Priors) -> Array:
    """Return X, centred where an ordered response's thresholds have their prior at the means."""
    return design.X - column_means(design, priors) if design.family.ordered else design.X


def outcome(design: Design, at: Integers) -> tuple[Any, ...]:
    """Return what the family's kernel needs of the rows, in an order."""
    rows = design.outcome.rows
    known = np.array(design.family.known(rows), dtype=float)
    weights = np.array(rows.get("weights", np.ones(1)), dtype=float)
    if known.shape[1] > 1:
        known = np.ascontiguousarray(known[:, at])
    if len(weights) > 1:
        weights = weights[at]
    return code(design.family), np.array(design.y[at], dtype=float), known, weights


def left_out(design: Design) -> float:
    """Return the log likelihood less that of the kernel, wherever both are finite."""
    kernel, y, known, weights = outcome(design, np.arange(len(design.y)))
    eta = np.full(len(y), INSIDE)
    line = np.zeros((sum(parameter.size for parameter in design.parameters), 1))
    compiled = add_rows(kernel, y, eta, line, known, weights, np.empty(len(y)), np.zeros_like(line))
    others: dict[str, Any] = {}
    for parameter in design.parameters:
        values = parameter.natural(np.zeros(parameter.size))
        others[parameter.name] = values if parameter.support == ORDERED else values[0]
    density = design.family.log_density(y, eta, others, design.outcome.rows)
    return float((weights * density).sum() - compiled)
