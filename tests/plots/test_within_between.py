import pytest

from bayesmlm.errors import StatisticError
from bayesmlm.plots import within_between


def titles(fit, **options):
    return [axis.get_title() for axis in within_between(fit, "g", **options).axes]


def slope(fit, name):
    return float(fit.posterior["beta"].sel(coef=name).mean())


def test_centred_columns_have_their_own_slopes(make):
    fit = make("y ~ within(x, g) + between(x, g) + (1 | g)")
    inner, outer = slope(fit, "within(x, g)"), slope(fit, "between(x, g)")
    assert titles(fit) == [f"Within g: slope {inner:.3g}", f"Between g: slope {outer:.3g}"]


def test_beside_x_itself_the_coefficient_of_the_mean_adds(make):
    fit = make("y ~ x + between(x, g) + (1 | g)")
    inner, context = slope(fit, "x"), slope(fit, "between(x, g)")
    assert titles(fit) == [
        f"Within g: slope {inner:.3g}",
        f"Between g: slope {inner + context:.3g}",
    ]


def test_without_a_column_of_means_one_slope_serves_both(make):
    fit = make("y ~ x + (1 | g)")
    assert len({title.split("slope")[1] for title in titles(fit)}) == 1


def test_a_centred_predictor_needs_its_means(make):
    fit = make("y ~ within(x, g) + w + (1 | g)")
    with pytest.raises(StatisticError, match="name the column by between="):
        within_between(fit, "g")
    assert titles(fit, between="w")[1].startswith("Between g: slope 3")
    with pytest.raises(StatisticError, match="no fixed column 'v'"):
        within_between(fit, "g", between="v")
