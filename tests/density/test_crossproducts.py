"""The one pass over the rows."""

import numpy as np
import pytest

from bayesmlm.density.crossproducts import by_group, orthonormal


def test_orthonormal_columns():
    matrix = np.random.default_rng(0).normal(1e6, 1, (20, 3))
    Q, C = orthonormal(matrix, 5.0)
    np.testing.assert_allclose(Q @ C, matrix, rtol=1e-12)
    np.testing.assert_allclose(Q.T @ Q, 25 * np.eye(3), atol=1e-12)


def test_no_columns():
    Q, C = orthonormal(np.empty((4, 0)), 1.0)
    assert Q.shape == (4, 0) and C.shape == (0, 0)


def test_products_by_group():
    rng = np.random.default_rng(0)
    left, right, codes = rng.normal(size=(10, 2)), rng.normal(size=(10, 3)), rng.integers(0, 3, 10)
    found = by_group(left, right, codes, 4)
    assert found.shape == (4, 2, 3)
    for j in range(4):
        np.testing.assert_allclose(found[j], left[codes == j].T @ right[codes == j], atol=1e-14)


@pytest.mark.parametrize(
    ("response", "precision", "power"),
    [
        ("y", lambda d: 1.0, lambda d: 1.0),
        ("y | precision(v)", lambda d: d["v"], lambda d: 1.0),
        ("y | se(s)", lambda d: 1 / d["s"] ** 2, lambda d: 1.0),
        ("y | weights(v)", lambda d: 1.0, lambda d: d["v"]),
        ("y | precision(v) + weights(s)", lambda d: d["v"], lambda d: d["s"]),
    ],
)
def test_columns_are_weighted_and_y_is_relative_to_least_squares(
    response, precision, power, frame, marginal_of
):
    data = frame(1)
    marginal = marginal_of(f"{response} ~ x + w + (x | a)", data)
    design, found = marginal.design, marginal.data
    precision, power = (np.ones(len(data)) * np.asarray(f(data)) for f in (precision, power))
    root = np.sqrt(precision * power)
    np.testing.assert_allclose(found.X @ found.to_X, design.X * root[:, None], atol=1e-12)
    np.testing.assert_allclose(
        found.Z[0] @ found.to_Z[0], design.random[0].Z * root[:, None], atol=1e-12
    )
    best = np.linalg.lstsq(design.X * root[:, None], design.y * root, rcond=None)[0]
    np.testing.assert_allclose(found.start, best, rtol=1e-10)
    np.testing.assert_allclose(found.y, root * (design.y - design.X @ best), atol=1e-10)
    np.testing.assert_allclose(found.X.T @ found.y, 0, atol=1e-12)
    assert found.n == pytest.approx(power.sum())
    assert found.log_weight == pytest.approx((power * np.log(precision)).sum())


def test_no_fixed_columns(frame, marginal_of):
    found = marginal_of("y ~ 0 + (1 | a)", frame(1)).data
    assert found.X.shape == (40, 0) and found.start.shape == (0,)
