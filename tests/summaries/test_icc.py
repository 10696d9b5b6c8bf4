import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import icc
from bayesmlm.summaries.icc import intraclass_correlation


def frame_of(n=24):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "district": np.repeat([1, 2, 3], n // 3),
            "school": np.repeat(np.arange(6), n // 6),
            "item": np.tile(np.arange(4), n // 4),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n),
            "count": rng.poisson(2, size=n),
        }
    )


def test_formula_by_hand():
    tau, sigma = np.array([4.0, 1.0]), np.array([12.0, 3.0])
    assert np.allclose(intraclass_correlation([tau], [tau], sigma), [0.25, 0.25])


def test_one_way(make_result):
    model = mlm.Model("y ~ 1 + (1 | school)", frame_of())
    result = make_result(model, sd_school=np.full((1, 2, 1), 2.0), sigma=np.full((1, 2), 4.0))
    assert icc(result).loc["school", "mean"] == pytest.approx(4 / 20)


def test_inner_group_shares_the_outer_one(make_result):
    """Raudenbush & Bryk (2002), chapter 8: pupils in schools in districts."""
    model = mlm.Model("y ~ 1 + (1 | district) + (1 | school)", frame_of())
    result = make_result(
        model,
        sd_district=np.full((1, 2, 1), 1.0),
        sd_school=np.full((1, 2, 1), 2.0),
        sigma=np.full((1, 2), 3.0),
    )
    table = icc(result)
    assert table.loc["district", "mean"] == pytest.approx(1 / 14)
    assert table.loc["school", "mean"] == pytest.approx(5 / 14)
    assert table.loc["school", "shared"] == "school, district"


def test_crossed_groups_share_only_themselves(make_result):
    model = mlm.Model("y ~ 1 + (1 | school) + (1 | item)", frame_of())
    result = make_result(
        model,
        sd_school=np.full((1, 2, 1), 1.0),
        sd_item=np.full((1, 2, 1), 2.0),
        sigma=np.full((1, 2), 3.0),
    )
    table = icc(result)
    assert table.loc["school", "mean"] == pytest.approx(1 / 14)
    assert table.loc["item", "mean"] == pytest.approx(4 / 14)


def test_posterior_of_the_icc_is_not_the_icc_of_posterior_means(make_result):
    model = mlm.Model("y ~ 1 + (1 | school)", frame_of())
    sds = np.array([[[1.0], [3.0]]])
    result = make_result(model, sd_school=sds, sigma=np.ones((1, 2)))
    assert icc(result).loc["school", "mean"] == pytest.approx((1 / 2 + 9 / 10) / 2)


def test_refused_where_there_is_no_level_1_variance(make_result):
    known = mlm.Model("y | se(2) ~ 1 + (1 | school)", frame_of())
    with pytest.raises(StatisticError, match="known"):
        icc(make_result(known, beta=np.zeros((1, 2, 1)), sd_school=np.ones((1, 2, 1))))


def test_refused_without_groups(make_result):
    model = mlm.Model("y ~ x", frame_of())
    with pytest.raises(StatisticError, match="without groups"):
        icc(make_result(model, beta=np.zeros((1, 2, 2)), sigma=np.ones((1, 2))))


def test_four_levels(make_result):
    """Two rows of one class share its school and district; shares add up to one."""
    frame = pd.DataFrame({"room": np.repeat(range(12), 2)}).assign(
        school=lambda d: d["room"] // 2, district=lambda d: d["room"] // 4
    )
    frame["y"] = np.random.default_rng(0).normal(size=24)
    model = mlm.Model("y ~ 1 + (1 | room) + (1 | school) + (1 | district)", frame)
    sds = {"room": 1.0, "school": 2.0, "district": 3.0}
    drawn = {f"sd_{name}": np.full((1, 2, 1), sd) for name, sd in sds.items()}
    result = make_result(model, sigma=np.full((1, 2), 4.0), **drawn)
    found = icc(result)["mean"]
    assert found.to_dict() == pytest.approx(
        {"room": 14 / 30, "school": 13 / 30, "district": 9 / 30}
    )
    assert icc(result).loc["room", "shared"].split(", ")[0] == "room"
    assert icc(result, kind="share")["mean"].sum() == pytest.approx(1)


def test_share_is_each_levels_own_part_and_adds_up(make_result):
    model = mlm.Model("y ~ 1 + (1 | district) + (1 | school)", frame_of())
    result = make_result(
        model,
        sd_district=np.full((1, 2, 1), 1.0),
        sd_school=np.full((1, 2, 1), 2.0),
        sigma=np.full((1, 2), 3.0),
    )
    shares = icc(result, kind="share")["mean"]
    assert shares.to_dict() == pytest.approx(
        {"district": 1 / 14, "school": 4 / 14, "residual": 9 / 14}
    )


def test_a_slope_makes_it_a_function_of_the_predictor(make_result):
    """tau_00 + 2 tau_01 x + tau_11 x², Snijders & Bosker (2012), section 5.1."""
    model = mlm.Model("y ~ x + (x | school)", frame_of())
    result = make_result(
        model,
        beta=np.zeros((1, 2, 2)),
        sd_school=np.array([[[2.0, 0.5], [1.0, 1.0]]]),
        corr_school=np.array([[[-0.4], [0.3]]]),
        sigma=np.array([[3.0, 2.0]]),
    )
    found = icc(result, at={"x": [-1, 0, 2]})
    assert found.index.tolist() == [("school", -1.0), ("school", 0.0), ("school", 2.0)]
    for x, value in zip((-1, 0, 2), found["mean"], strict=True):
        one, other = 4 - 0.8 * x + 0.25 * x**2, 1 + 0.6 * x + x**2
        assert value == pytest.approx((one / (one + 9) + other / (other + 4)) / 2)


def binary(make_result, formula="z ~ 1 + (1 | school)", **options):
    frame = frame_of().assign(z=np.tile([0, 1], 12))
    model = mlm.Model(formula, frame, family="bernoulli", **options)
    sds = {f"sd_{block.name}": np.full((1, 2, 1), 1.5) for block in model.design.random}
    return make_result(model, beta=np.full((1, 2, 1), -0.7), **sds)


def test_latent_definition_of_logit_and_probit(make_result):
    logit, probit = binary(make_result), binary(make_result, link="probit")
    assert icc(logit).loc["school", "mean"] == pytest.approx(2.25 / (2.25 + np.pi**2 / 3))
    assert icc(probit).loc["school", "mean"] == pytest.approx(2.25 / 3.25)


def test_exact_definition_of_probit_is_that_of_two_normal_variables(make_result):
    """P(both 1) - p² over p (1 - p), of a bivariate normal with the latent correlation."""
    from scipy.stats import multivariate_normal, norm

    p = norm.cdf(-0.7 / np.sqrt(3.25))
    rho = 2.25 / 3.25
    z = norm.ppf(p)
    both = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([z, z])
    found = icc(binary(make_result, link="probit"), scale="exact").loc["school", "mean"]
    assert found == pytest.approx((both - p**2) / (p * (1 - p)), abs=1e-9)


def test_simulated_definition_is_near_the_exact_one_and_follows_its_seed(make_result):
    result = binary(make_result)
    exact = icc(result, scale="exact").loc["school", "mean"]
    simulated = [icc(result, scale="simulated", seed=s).loc["school", "mean"] for s in (1, 1, 2)]
    assert simulated[0] == simulated[1] != simulated[2]
    assert simulated[0] == pytest.approx(exact, abs=0.02)


def test_nested_groups_on_the_scale_of_the_response(make_result):
    result = binary(make_result, "z ~ 1 + (1 | district) + (1 | school)")
    found = icc(result, scale="exact")["mean"]
    assert 0 < found["district"] < found["school"] < 1
    latent = icc(result)["mean"]
    assert found["school"] < latent["school"]


def test_the_exact_definition_moves_with_the_fixed_part(make_result):
    result = binary(make_result)
    at_mean = icc(result, scale="exact").loc["school", "mean"]
    assert icc(result, scale="exact", eta=-0.7).loc["school", "mean"] == pytest.approx(at_mean)
    assert icc(result, scale="exact", eta=-4).loc["school", "mean"] < at_mean


def test_counts_by_all_three_definitions(make_result):
    model = mlm.Model("count ~ 1 + (1 | school)", frame_of(), family="poisson")
    result = make_result(model, beta=np.full((1, 2, 1), 0.4), sd_school=np.full((1, 2, 1), 0.8))
    mean = np.exp(0.4 + 0.32)
    variance = mean**2 * (np.exp(0.64) - 1)
    assert icc(result).loc["school", "mean"] == pytest.approx(0.64 / (0.64 + np.log1p(1 / mean)))
    exact = icc(result, scale="exact").loc["school", "mean"]
    assert exact == pytest.approx(variance / (variance + mean))
    assert icc(result, scale="simulated").loc["school", "mean"] == pytest.approx(exact, abs=0.05)


def test_an_identity_link_has_one_definition(make_result):
    model = mlm.Model("y ~ 1 + (1 | school)", frame_of())
    result = make_result(model, sd_school=np.full((1, 2, 1), 2.0), sigma=np.full((1, 2), 4.0))
    for scale in ("latent", "exact", "simulated"):
        assert icc(result, scale=scale).loc["school", "mean"] == pytest.approx(0.2)


def test_refusals_of_what_is_not_defined(make_result):
    result = binary(make_result)
    with pytest.raises(StatisticError, match="levels do not add up"):
        icc(result, kind="share", scale="exact")
    with pytest.raises(StatisticError, match="'latent', 'exact', 'simulated'"):
        icc(result, scale="observed")
    with pytest.raises(StatisticError, match="'correlation', 'share'"):
        icc(result, kind="vpc")
    slopes = mlm.Model(
        "z ~ x + (x | school)", frame_of().assign(z=np.tile([0, 1], 12)), family="bernoulli"
    )
    drawn = make_result(
        slopes,
        beta=np.zeros((1, 2, 2)),
        sd_school=np.ones((1, 2, 2)),
        corr_school=np.zeros((1, 2, 1)),
    )
    with pytest.raises(StatisticError, match="with slopes that vary"):
        icc(drawn, scale="exact")
    assert 0 < icc(drawn, scale="exact", at={"x": 1}).loc[("school", 1.0), "mean"] < 1


def test_language_scores(shared_data):
    """Snijders & Bosker (2012), table 4.1: 18.13 / (18.13 + 62.85) = 0.22."""
    data = pd.read_csv(shared_data / "mlbook_red.csv")
    found = icc(mlm.Model("langPOST ~ 1 + (1 | schoolnr)", data).fit("ml").result)
    assert found.loc["schoolnr", "mean"] == pytest.approx(18.13 / (18.13 + 62.85), abs=2e-4)
    assert round(found.loc["schoolnr", "mean"], 2) == 0.22
