import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import joint, standard_errors
from bayesmlm.summaries.standard_errors import conditional_covariance, root
from bayesmlm.summaries.variance_components import covariance_draws


def constant(value, *shape):
    return np.broadcast_to(np.asarray(value, dtype=float), (1, *shape)).copy()


def test_balanced_one_way_is_the_closed_form(make_result):
    """tau² (1 - lambda) and tau² lambda, lambda = tau² / (tau² + sigma² / n)."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(7), 5), "y": rng.normal(size=35)})
    u = rng.normal(size=(1, 9, 7, 1))
    result = make_result(
        mlm.Model("y ~ 1 + (1 | g)", frame),
        sd_g=constant(1.5, 9, 1),
        u_g=u,
        sigma=constant(2.0, 9),
    )
    found = standard_errors(result, "g")
    share = 2.25 / (2.25 + 4 / 5)
    np.testing.assert_allclose(found["comparative"], np.sqrt(2.25 * (1 - share)), atol=1e-10)
    np.testing.assert_allclose(found["diagnostic"], np.sqrt(2.25 * share), atol=1e-10)
    np.testing.assert_allclose(found["posterior"], u[0, :, :, 0].std(axis=0, ddof=1))


def test_conditional_covariance_also_of_a_singular_one():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(3, 6, 2))
    products = Z.transpose(0, 2, 1) @ Z
    T = np.array([[[2.0, 0.3], [0.3, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.0, 0], [0, 0.5]]])
    sigma2 = np.array([1.0, 2.0, 0.5])
    found = conditional_covariance(T, products, sigma2)
    for j in range(3):
        for s in range(3):
            V = Z[j] @ T[s] @ Z[j].T + sigma2[s] * np.eye(6)
            expected = T[s] - T[s] @ Z[j].T @ np.linalg.solve(V, Z[j] @ T[s])
            np.testing.assert_allclose(found[j, s], expected, atol=1e-12)


@pytest.fixture
def several(make_result):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"g": rng.integers(0, 6, 60), "h": rng.integers(0, 4, 60)})
    frame = frame.assign(x=rng.normal(size=60), y=rng.normal(size=60), p=rng.uniform(1, 2, 60))
    model = mlm.Model("y | precision(p) ~ x + (x | g) + (1 | h)", frame)
    return make_result(
        model,
        sd_g=rng.uniform(0.5, 2, (1, 4, 2)),
        corr_g=rng.uniform(-0.5, 0.5, (1, 4, 1)),
        sd_h=rng.uniform(0.5, 2, (1, 4, 1)),
        u_g=rng.normal(size=(1, 4, 6, 2)),
        u_h=rng.normal(size=(1, 4, 4, 1)),
        sigma=rng.uniform(0.5, 2, (1, 4)),
    )


@pytest.mark.parametrize("group", ["g", "h"])
def test_several_groupings_are_the_dense_matrix(several, group):
    design = several.design
    dense = [
        np.einsum("nq,nj->njq", b.Z, np.eye(b.grouping.size)[b.grouping.codes]).reshape(60, -1)
        for b in design.random
    ]
    Z, p = np.concatenate(dense, axis=1), design.outcome.rows["precision"]
    sigma = several.posterior["sigma"].to_numpy().ravel()
    variances = []
    for s in range(4):
        T = np.zeros((16, 16))
        at = 0
        for b in design.random:
            for _ in range(b.grouping.size):
                q = len(b.effects)
                T[at : at + q, at : at + q] = covariance_draws(several, b)[s]
                at += q
        C = T - T @ Z.T @ np.linalg.solve(Z @ T @ Z.T + np.diag(sigma[s] ** 2 / p), Z @ T)
        variances.append(np.diag(C)[:12] if group == "g" else np.diag(C)[12:])
    found = standard_errors(several, group)
    np.testing.assert_allclose(found["comparative"], np.sqrt(np.mean(variances, axis=0)))
    sds = several.posterior[f"sd_{group}"].to_numpy()[0]
    tau = np.tile((sds**2).mean(axis=0), len(found) // sds.shape[1])
    np.testing.assert_allclose(found["comparative"] ** 2 + found["diagnostic"] ** 2, tau)


def test_root_of_a_singular_matrix():
    T = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(root(T) @ root(T).T, T, atol=1e-12)


def test_a_fit_has_what_its_engine_and_family_define(several, make_result):
    assert list(standard_errors(several, "g", "posterior").columns) == ["posterior"]
    assert list(standard_errors(several, "g", "given beta").columns) == [
        "comparative",
        "diagnostic",
    ]
    frame = pd.DataFrame({"g": np.repeat(range(4), 3), "b": [0, 1, 1] * 4})
    rng = np.random.default_rng(0)
    binary = make_result(
        mlm.Model("b ~ 1 + (1 | g)", frame, family="bernoulli"),
        sd_g=constant(1.0, 5, 1),
        u_g=rng.normal(size=(1, 5, 4, 1)),
    )
    assert list(standard_errors(binary, "g").columns) == ["posterior"]
    with pytest.raises(StatisticError, match="given beta with the bernoulli family"):
        standard_errors(binary, "g", "given beta")
    with pytest.raises(StatisticError, match="'all', 'given beta', 'posterior'"):
        standard_errors(binary, "g", "comparative")


def test_too_many_effects_are_refused(several, monkeypatch):
    monkeypatch.setattr(joint, "LARGEST", 10)
    with pytest.raises(StatisticError, match="the covariance of 2 groupings, of 4 effects"):
        standard_errors(several, "g")
    assert len(standard_errors(several, "g", "posterior")) == 12


def test_a_maximum_has_no_posterior():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(7), 5), "y": rng.normal(size=35)})
    fit = mlm.Model("y ~ 1 + (1 | g)", frame).fit("ml")
    assert list(standard_errors(fit.result, "g").columns) == ["comparative", "diagnostic"]
    with pytest.raises(StatisticError, match="by 'ml', which has no draws"):
        standard_errors(fit.result, "g", "posterior")


def test_effects_that_are_not_normal_have_posterior_errors_alone(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(5), 4), "y": rng.normal(size=20)})
    model = mlm.Model("y ~ 1 + (1 | gr(g, dist='student'))", frame)
    draws = {"beta": np.zeros((1, 9, 1)), "sd_g": np.ones((1, 9, 1)), "sigma": np.ones((1, 9))}
    result = make_result(model, **draws, u_g=rng.normal(size=(1, 9, 5, 1)))
    assert list(standard_errors(result, "g")) == ["posterior"]
    with pytest.raises(StatisticError, match="not normal .student."):
        standard_errors(result, "g", "given beta")
