"""The rows of a generalized model in the order of its largest grouping's groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.design import Design
from bayesmlm.families.rows import add_rows, code

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


def grouped_rows(design: Design) -> GroupedRows:
    """Return the rows of a design that has a grouping and a family with a kernel."""
    blocks = design.random
    order = tuple(
        sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size * len(blocks[k].effects))
    )
    grouping = blocks[order[0]].grouping
    at = np.argsort(grouping.codes, kind="stable")
    length = np.sqrt(len(at))
    X, to_X = orthonormal(design.X[at], length)
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
    """Return the log likelihood less that of the kernel, at eta = 0 and scale 1."""
    rows, N = design.outcome.rows, len(design.y)
    kernel, y, known, weights = outcome(design, np.arange(N))
    eta, others = np.zeros(N), np.zeros((int(design.estimates_scale), 1))
    compiled = add_rows(kernel, y, eta, others, known, weights, np.empty(N), np.zeros_like(others))
    at_one = {"sigma": 1.0} if design.estimates_scale else {}
    density = design.family.log_density(design.y, eta, at_one, rows)
    return float((weights * density).sum() - compiled)
