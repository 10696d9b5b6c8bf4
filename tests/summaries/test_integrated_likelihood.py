"""Integrated likelihoods against the multivariate normal and against numerical integration."""

import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.stats

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.chain import chain_of, why_not
from bayesmlm.summaries.integrated_likelihood import integrated

S = 3
RNG = np.random.default_rng(8)


def values(result, group, by_row=False, chain=None):
    """Return every group's or row's draws, shape (J, S) or (N, S)."""
    design = result.design
    grouping = design.block(group).grouping
    found = integrated(
        result, grouping, chain_of(design, grouping) if chain is None else chain, design
    )
    parts = list(found.rows() if by_row else found.groups())
    out = np.empty((sum(len(at) for at, _ in parts), S))
    for at, draws in parts:
        out[at] = draws
    return out


def three_levels(make_result):
    """Return pupils in classes in schools, unbalanced, with weights and precisions."""
    n = 40
    school = np.sort(RNG.integers(0, 5, n))
    frame = pd.DataFrame(
        {"school": school, "class": RNG.integers(0, 3, n), "x": RNG.normal(size=n)}
    )
    frame["y"] = 50 + RNG.normal(size=n)
    frame["w"] = 1.0
    frame["k"] = RNG.uniform(0.5, 2, n)
    frame = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    spec = "y | weights(w) + precision(k) ~ x + (x | school/class)"
    model = mlm.Model(spec, frame)
    groups = {b.name: b.grouping.size for b in model.design.random}
    draws = {
        "beta": np.array([50.0, 0.3]) + RNG.normal(size=(1, S, 2)) / 3,
        "sigma": RNG.uniform(0.5, 2, (1, S)),
    }
    for name, size in groups.items():
        draws |= {
            f"sd_{name}": RNG.uniform(0.3, 2, (1, S, 2)),
            f"corr_{name}": RNG.uniform(-0.8, 0.8, (1, S, 1)),
            f"u_{name}": RNG.normal(size=(1, S, size, 2)),
        }
    return make_result(model, **draws), draws


def covariance(draws, block, s, rows):
    sd, r = draws[f"sd_{block.name}"][0, s], draws[f"corr_{block.name}"][0, s, 0]
    T = np.diag(sd) @ np.array([[1, r], [r, 1]]) @ np.diag(sd)
    codes, Z = block.grouping.codes[rows], block.Z[rows]
    return (codes[:, None] == codes) * (Z @ T @ Z.T)


def test_nested_gaussian_groups_are_the_multivariate_normal(make_result):
    result, draws = three_levels(make_result)
    design = result.design
    found = values(result, "school")
    codes = design.block("school").grouping.codes
    for s in range(S):
        mean = design.X @ draws["beta"][0, s]
        for j in range(5):
            rows = np.flatnonzero(codes == j)
            V = np.diag(draws["sigma"][0, s] ** 2 / design.outcome.rows["precision"][rows])
            V = V + sum(covariance(draws, block, s, rows) for block in design.random)
            expected = scipy.stats.multivariate_normal(mean[rows], V).logpdf(design.y[rows])
            np.testing.assert_allclose(found[j, s], expected, rtol=1e-10)


def test_gaussian_rows_given_the_rest_of_their_group(make_result):
    """By the inverse of the covariance: mean y - r / p, variance 1 / p, with r = V⁻¹(y - m)."""
    result, draws = three_levels(make_result)
    design = result.design
    inner, outer = design.block("school:class"), design.block("school")
    found = values(result, inner.name, by_row=True, chain=(inner,))
    for s in range(S):
        base = design.X @ draws["beta"][0, s]
        base = base + (outer.Z * draws["u_school"][0, s][outer.grouping.codes]).sum(axis=1)
        for j in range(inner.grouping.size):
            rows = np.flatnonzero(inner.grouping.codes == j)
            V = np.diag(draws["sigma"][0, s] ** 2 / design.outcome.rows["precision"][rows])
            P = np.linalg.inv(V + covariance(draws, inner, s, rows))
            p, r = np.diag(P), P @ (design.y - base)[rows]
            expected = scipy.stats.norm(0, 1 / np.sqrt(p)).logpdf(r / p)
            np.testing.assert_allclose(found[rows, s], expected, rtol=1e-9)


def test_a_weight_is_a_power_of_the_likelihood(make_result):
    """A row of weight two is two rows left out together."""
    y, g = RNG.normal(size=6), np.array([0, 0, 0, 1, 1, 1])
    draws = {"beta": np.zeros((1, S, 1)), "sd_g": np.full((1, S, 1), 1.3)}
    draws["sigma"] = np.full((1, S), 0.7)
    frame = pd.DataFrame({"y": y, "g": g, "w": [2.0, 1, 1, 1, 1, 1]})
    weighted = make_result(mlm.Model("y | weights(w) ~ 1 + (1 | g)", frame), **draws)
    rows = np.array([0, 0, 1, 2])
    V = 1.69 + 0.49 * np.eye(4)
    both = scipy.stats.multivariate_normal(np.zeros(4), V).logpdf(y[rows])
    rest = scipy.stats.multivariate_normal(np.zeros(2), V[:2, :2]).logpdf(y[1:3])
    np.testing.assert_allclose(values(weighted, "g")[0], both)
    np.testing.assert_allclose(values(weighted, "g", by_row=True)[0], both - rest)


OTHERS = {
    "student": {"sigma": 0.8, "nu": 5.0},
    "lognormal": {"sigma": 0.6},
    "gamma": {"shape": 2.3},
    "beta": {"phi": 6.0},
    "bernoulli": {},
    "binomial": {},
    "beta_binomial": {"phi": 6.0},
    "poisson": {},
    "negbinomial": {"shape": 1.6},
    "cumulative": {"thresholds": np.array([-1.0, 0.8])},
    "zero_inflated_poisson": {"zi": 0.3},
    "zero_inflated_negbinomial": {"shape": 1.6, "zi": 0.3},
    "hurdle_poisson": {"hu": 0.4},
    "hurdle_negbinomial": {"shape": 1.6, "hu": 0.4},
}


def test_every_family_is_tried():
    from bayesmlm.families import FAMILIES

    by_row = {"categorical"}  # several predictors: refused
    assert set(OTHERS) == set(FAMILIES) - {"gaussian"} - by_row


def family_result(make_result, name, sd, centre=0.4):
    """Return a fit of groups of one, two and five rows whose draws differ in sd alone."""
    from bayesmlm.families import family

    g = np.array([0, 1, 1, 2, 2, 2, 2, 2])
    frame = pd.DataFrame({"g": g})
    trials = np.array([5.0, 3, 8, 2, 6, 4, 9, 7])
    rows = {"trials": trials} if "binomial" in name and "neg" not in name else {}
    eta = centre + RNG.normal(size=3)[g]
    frame["y"] = family(name).simulate(eta, OTHERS[name], rows, np.random.default_rng(1))
    if name == "cumulative":
        frame["y"] = np.array([1, 0, 2, 1, 1, 2, 0, 1])
    frame["n"] = trials
    left = "y | trials(n)" if rows else "y"
    model = mlm.Model(f"{left} ~ 1 + (1 | g)", frame, family=name)
    draws = {key: np.tile(value, (1, S, 1) if np.ndim(value) else (1, S))
             for key, value in OTHERS[name].items()}  # fmt: skip
    if model.design.coef:
        draws["beta"] = np.full((1, S, 1), centre)
    return make_result(model, sd_g=sd[None, :, None], **draws)


def by_integration(result, rows, sd):
    """Return the log integral over one normal effect, by a fine grid."""
    design = result.design
    u = np.linspace(-12 * sd, 12 * sd, 40_001)
    beta = float(result.posterior["beta"][0, 0, 0]) if design.coef else 0.0
    total = scipy.stats.norm(0, sd).logpdf(u)
    for i in rows:
        own = {name: column[[i]] for name, column in design.outcome.rows.items()}
        total = total + design.family.log_density(
            np.full(len(u), design.y[i]), beta + u, OTHERS[design.family.name], own
        )
    top = total.max()
    return top + np.log(scipy.integrate.trapezoid(np.exp(total - top), u))


@pytest.mark.parametrize("name", OTHERS)
def test_groups_and_rows_by_numerical_integration(make_result, name):
    sd = np.array([0.2, 0.9, 2.0])
    result = family_result(make_result, name, sd)
    groups, rows = values(result, "g"), values(result, "g", by_row=True)
    codes = result.design.random[0].grouping.codes
    for s in range(S):
        for j in range(3):
            own = np.flatnonzero(codes == j)
            whole = by_integration(result, own, sd[s])
            np.testing.assert_allclose(groups[j, s], whole, atol=2e-3)
            for i in own:
                rest = by_integration(result, own[own != i], sd[s])
                np.testing.assert_allclose(rows[i, s], whole - rest, atol=4e-3)


def test_rows_that_tell_much_of_their_group(make_result):
    """Large counts: without one of two rows the effect's posterior is elsewhere and wider."""
    sd = np.array([0.5, 1.0, 2.0])
    result = family_result(make_result, "poisson", sd, centre=4.0)
    rows = values(result, "g", by_row=True)
    codes = result.design.random[0].grouping.codes
    for s in range(S):
        for i in range(8):
            own = np.flatnonzero(codes == codes[i])
            expected = by_integration(result, own, sd[s]) - by_integration(
                result, own[own != i], sd[s]
            )
            np.testing.assert_allclose(rows[i, s], expected, atol=1e-4)


def test_two_effects_by_a_grid(make_result):
    x = np.array([-1.0, 0.0, 1.0, 0.5, 2.0, 1.0])
    frame = pd.DataFrame({"y": [0, 1, 1, 0, 1, 0], "x": x, "g": [0, 0, 0, 1, 1, 1]})
    model = mlm.Model("y ~ x + (x | g)", frame, family="bernoulli")
    result = make_result(
        model,
        beta=np.tile([0.3, -0.2], (1, S, 1)),
        sd_g=np.tile([1.2, 0.7], (1, S, 1)),
        corr_g=np.full((1, S, 1), 0.4),
    )
    a, b = np.meshgrid(np.linspace(-9, 9, 601), np.linspace(-6, 6, 601), indexing="ij")
    C = 0.4 * 1.2 * 0.7
    density = scipy.stats.multivariate_normal([0, 0], [[1.44, C], [C, 0.49]]).pdf(np.dstack([a, b]))
    area = (18 / 600) * (12 / 600)
    found = values(result, "g")
    for j, own in enumerate((slice(0, 3), slice(3, 6))):
        p = np.ones_like(a)
        for xi, yi in zip(x[own], frame["y"][own], strict=True):
            eta = 0.3 - 0.2 * xi + a + b * xi
            p = p * scipy.special.expit(eta if yi else -eta)
        np.testing.assert_allclose(found[j, 0], np.log((p * density).sum() * area), atol=1e-4)


def test_a_model_without_the_grouping_multiplies_its_rows(make_result):
    frame = pd.DataFrame(
        {"y": RNG.normal(size=6), "x": RNG.normal(size=6), "g": [0, 0, 1, 1, 2, 2]}
    )
    one = mlm.Model("y ~ x", frame)
    grouping = mlm.Model("y ~ x + (1 | g)", frame).design.random[0].grouping
    beta = RNG.normal(size=(1, S, 2))
    result = make_result(one, beta=beta, sigma=np.ones((1, S)))
    parts = list(integrated(result, grouping, (), one.design).groups())
    found = np.concatenate([draws for _, draws in parts])
    each = scipy.stats.norm(one.design.X @ beta[0].T, 1).logpdf(one.design.y[:, None])
    np.testing.assert_allclose(found, each.reshape(3, 2, S).sum(axis=1))


def test_why_not_and_crossed(make_result):
    frame = pd.DataFrame({"y": RNG.normal(size=24), "g": np.repeat(range(4), 6)})
    frame["h"], frame["c"] = np.tile(range(3), 8), np.tile(np.repeat(range(3), 2), 4)
    student = mlm.Model('y ~ 1 + (1 | gr(g, dist="student"))', frame).design
    assert "not normal" in why_not(student, student.random)
    counts = frame.assign(y=RNG.poisson(3, 24))
    counts["x"] = RNG.normal(size=24)
    slopes = mlm.Model("y ~ x + (x | g) + (1 | g:h)", counts, family="poisson").design
    assert "one effect of the outer" in why_not(
        slopes, chain_of(slopes, slopes.block("g").grouping)
    )
    within = mlm.Model("y ~ 1 + (1 | g) + (1 | g:h) + (1 | g:c)", frame).design
    with pytest.raises(StatisticError, match="cross within g"):
        chain_of(within, within.block("g").grouping)
