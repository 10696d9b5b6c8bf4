"""Whitening: inverse maps, orthonormal columns, a Jacobian that does not vary."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.mode import Mode

from bayesmlm.graph.coordinates import linear_transform, whitening

MODE = Mode(linker="py", optimizer="fast_compile")


def columns(seed: int, p: int, n: int = 40) -> np.ndarray:
    """Return correlated columns far from zero and on unlike scales."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, p)) @ (np.eye(p) + rng.normal(0, 0.3, (p, p)))
    return (mixed + rng.normal(0, 5, p)) * 10 ** rng.uniform(-3, 3, p)


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(1e-3, 1e3))
def test_the_maps_are_inverse_and_the_columns_orthonormal(seed: int, p: int, scale: float) -> None:
    X = columns(seed, p)
    forward, backward = whitening(X, scale)
    np.testing.assert_allclose(forward @ backward, np.eye(p), atol=1e-8)
    # eta = X b = X backward z: columns orthogonal, of mean square scale².
    white = X @ backward
    np.testing.assert_allclose(white.T @ white / len(X), scale**2 * np.eye(p), atol=1e-7 * scale**2)


def test_the_transform_and_its_jacobian() -> None:
    forward, backward = whitening(columns(3, 4), 2.0)
    transform = linear_transform(forward, backward)
    z = pt.vector("z")
    back = transform.backward(z)
    outputs = [back, transform.forward(back), transform.log_jac_det(z)]
    value = np.array([0.3, -2.0, 1.0, 0.1])
    b, again, log_det = pytensor.function([z], outputs, mode=MODE, on_unused_input="ignore")(value)
    np.testing.assert_allclose(b, backward @ value)
    np.testing.assert_allclose(again, value, rtol=1e-8)
    assert log_det == pytest.approx(np.log(abs(np.linalg.det(backward))))


def test_a_density_in_whitened_coordinates_differs_by_a_constant() -> None:
    transform = linear_transform(*whitening(columns(5, 3), 1.5))
    with pm.Model() as model:
        pm.Normal("b", 0, [1.0, 2.0, 0.01], default_transform=transform)
    (name,) = (v.name for v in model.value_vars)
    difference = model.compile_fn(model.logp(jacobian=True) - model.logp(jacobian=False), mode=MODE)
    rng = np.random.default_rng(1)
    values = [float(difference({name: rng.normal(size=3)})) for _ in range(3)]
    assert values[1:] == pytest.approx(values[:-1], abs=1e-6)
