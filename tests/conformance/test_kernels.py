"""The compiled kernels of every family and link: values, slopes, curvatures, information."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.special
from oracles import CASES, OTHERS, N, Rows, drawn, natural, on_line, predictors, variants

from bayesmlm.families import FAMILIES, Family, Parameter, family
from bayesmlm.families.link import LINKS
from bayesmlm.families.on_line import line_code, to_line
from bayesmlm.families.rows import add_rows, code, curvatures, information
from bayesmlm.families.special import (
    exponential,
    log_one_plus,
    log_rising,
    logarithm,
    polygammas,
    remainder,
    scaled_polygammas,
)
from bayesmlm.spec.terms import PARAMETER_LINKS

each = pytest.mark.parametrize(("name", "link"), CASES, ids=["-".join(case) for case in CASES])
ONE = np.ones(1)


def slopes(
    f: Family, y: np.ndarray, eta: np.ndarray, line: np.ndarray, rows: Rows, weights: Any = ONE
) -> tuple[float, np.ndarray, np.ndarray]:
    slope, other_slopes = np.empty(len(y)), np.zeros(line.shape)
    value = add_rows(code(f), y, eta, line, f.known(rows), weights, slope, other_slopes)
    return value, slope, other_slopes


def bends(
    f: Family, y: np.ndarray, eta: np.ndarray, line: np.ndarray, rows: Rows, weights: Any = ONE
) -> tuple[float, np.ndarray]:
    value, found = np.empty(len(y)), np.empty((3, len(y)))
    curvatures(code(f), y, eta, line, f.known(rows), weights, value, *found)
    return value.sum(), found


@each
def test_values_differ_as_the_log_density_does(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, y = drawn(f, rows)
        line = on_line(f, OTHERS[name], rows)
        moved, further = eta * 0.9 + 0.05, line + 0.1
        change = slopes(f, y, moved, further, rows)[0] - slopes(f, y, eta, line, rows)[0]
        after = f.log_density(y, moved, natural(f, further, rows), rows)
        expected = (after - f.log_density(y, eta, natural(f, line, rows), rows)).sum()
        assert change == pytest.approx(expected, rel=1e-9, abs=1e-9)


@each
def test_slopes_and_curvatures_are_derivatives(name: str, link: str) -> None:
    f, h = family(name, link), 1e-5
    for rows in variants(f):
        eta, y = drawn(f, rows)
        line, weights = on_line(f, OTHERS[name], rows), np.linspace(0.5, 2, N)
        value, slope, other_slopes = slopes(f, y, eta, line, rows, weights)
        total, found = bends(f, y, eta, line, rows, weights)
        assert total == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(found[0], slope, rtol=1e-10, atol=1e-12)
        others = natural(f, line, rows)
        up, down = (f.log_density(y, eta + s, others, rows) for s in (h, -h))
        np.testing.assert_allclose(slope, weights * (up - down) / (2 * h), rtol=1e-6, atol=1e-7)
        ahead, behind = (bends(f, y, eta + s, line, rows, weights)[1] for s in (h, -h))
        numerical = (ahead[:2] - behind[:2]) / (2 * h)
        np.testing.assert_allclose(found[1:], numerical, rtol=1e-6, atol=1e-7)
        for k in range(len(line)):
            move = h * (np.arange(len(line)) == k)[:, None]
            rise = slopes(f, y, eta, line + move, rows, weights)[0]
            rise -= slopes(f, y, eta, line - move, rows, weights)[0]
            assert other_slopes[k, 0] == pytest.approx(rise / (2 * h), rel=1e-6, abs=1e-6)


@each
def test_further_parameters_by_row(name: str, link: str) -> None:
    f = family(name, link)
    rows = variants(f)[0]
    eta, y = drawn(f, rows)
    line = on_line(f, OTHERS[name], rows)
    value, slope, other_slopes = slopes(f, y, eta, line, rows)
    by_row = np.repeat(line, N, axis=1)
    again, slope_again, each_slope = slopes(f, y, eta, by_row, rows)
    assert again == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(slope_again, slope, rtol=1e-12)
    np.testing.assert_allclose(each_slope.sum(axis=1), other_slopes[:, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        bends(f, y, eta, by_row, rows)[1], bends(f, y, eta, line, rows)[1], rtol=1e-12
    )


@each
def test_information_is_the_mean_squared_slope(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        few = {key: value[:3] for key, value in rows.items()}
        eta, line = predictors(f)[:3], on_line(f, OTHERS[name], rows)
        if name == "beta":  # where y hardly rounds to 0 or 1
            eta *= 0.3
        got = np.empty(3)
        information(code(f), eta, line, f.known(few), ONE, got)
        for i in range(3):
            one = {key: value[i : i + 1] for key, value in few.items()}
            expected = mean_square(f, float(eta[i]), line, one)
            if name == "beta_binomial":
                assert 0.5 * expected < got[i] < expected * (1 + 1e-12)
            else:
                assert got[i] == pytest.approx(expected, rel=1e-6)


def mean_square(f: Family, eta: float, line: np.ndarray, rows: Rows) -> float:
    """Return the expected squared slope, by a sum or by quadrature."""
    others = natural(f, line, rows)

    def part(y: np.ndarray) -> np.ndarray:
        at = np.full(len(y), eta)
        own = {key: np.repeat(value, len(y)) for key, value in rows.items()}
        slope = bends(f, y, at, line, own)[1][0]
        return np.exp(f.log_density(y, at, others, own)) * slope**2

    if f.counts:
        most = {"trials": int(rows["trials"][0])} if "trials" in rows else {}
        top = 3 if f.ordered else 2 if f.unordered else 1 if f.binary else most.get("trials", 3000)
        return float(part(np.arange(top + 1.0)).sum())
    # y as a function of a point on the whole line, which the integral runs over
    if f.name == "beta":
        to_y, stretch = (
            scipy.special.expit,
            lambda t: scipy.special.expit(t) * scipy.special.expit(-t),
        )
    elif f.support.startswith("positive"):
        to_y = stretch = np.exp
    else:
        to_y, stretch = (lambda t: eta + np.sinh(t)), np.cosh
    t = np.linspace(-16, 16, 64_001)
    y = to_y(t)
    inside = f.supports(y, rows)
    return float(np.trapezoid(part(y[inside]) * stretch(t[inside]), t[inside]))


FAR = {
    "identity": (-700.0, 700.0),
    "log": (-700.0, 700.0),
    "logit": (-700.0, 700.0),
    "probit": (-700.0, 700.0),
    "cloglog": (-700.0, 6.0),
    "sqrt": (1e-4, 700.0),
    "inverse": (1e-4, 700.0),
}


@each
def test_far_tails_are_finite(name: str, link: str) -> None:
    f = family(name, link)
    ends = FAR[link] if link != "identity" or f.has_scale else (1e-4, 700.0)
    eta = np.array([ends[0], ends[0] / 17, ends[1] / 17, ends[1]])
    rows = {"trials": np.full(4, 4.0)} if "trials" in f.needs else {}
    line = on_line(f, OTHERS[name], rows)
    for value in (0.0, 0.3, 1.0, 2.0, 3.0, 4.0):
        y = np.full(4, value)
        if not f.supports(y, rows).all() or (f.ordered and value > 3):
            continue
        total, slope, other_slopes = slopes(f, y, eta, line, rows)
        assert np.isfinite(total)
        assert np.isfinite(slope).all() and np.isfinite(other_slopes).all()
        assert np.isfinite(bends(f, y, eta, line, rows)[1]).all()
        got = np.empty(4)
        information(code(f), eta, line, f.known(rows), ONE, got)
        assert (np.isfinite(got) & (got >= 0)).all()


@pytest.mark.parametrize("scale", [-12.0, 12.0])
@each
def test_extreme_further_parameters_are_finite(name: str, link: str, scale: float) -> None:
    f = family(name, link)
    rows = variants(f)[0]
    eta, y = drawn(f, rows)
    line = on_line(f, OTHERS[name], rows) * 0 + scale
    if f.ordered:
        line = np.array([[scale], [-3.0], [2.0]])
    total, slope, other_slopes = slopes(f, y, eta, line, rows)
    assert np.isfinite(total)
    assert np.isfinite(slope).all() and np.isfinite(other_slopes).all()
    assert np.isfinite(bends(f, y, eta, line, rows)[1]).all()


def test_functions_of_the_gamma_family() -> None:
    for x in (1e-8, 0.3, 1.0, 4.5, 11.9, 12.1, 300.0, 1e7):
        expected = [scipy.special.polygamma(k, x) for k in range(3)]
        np.testing.assert_allclose(polygammas(x), expected, rtol=1e-12)
        scaled = [x ** (k + 1) * value for k, value in enumerate(expected)]
        np.testing.assert_allclose(scaled_polygammas(x), scaled, rtol=1e-12)
        own = scipy.special.gammaln(x) - x * np.log(x) + x
        assert remainder(x) == pytest.approx(own, rel=1e-12, abs=1e-7 if x > 1e4 else 0)
        for n in (1.0, 0.5, 17.0):
            own = scipy.special.gammaln(x + n) - scipy.special.gammaln(x)
            assert log_rising(x, n) == pytest.approx(own, rel=1e-11, abs=1e-7 if x > 1e4 else 0)
    # Gamma(x + 3) / Gamma(x) = x (x + 1) (x + 2)
    assert log_rising(1e7, 3.0) == pytest.approx(
        np.log(1e7) + np.log(1e7 + 1) + np.log(1e7 + 2), rel=1e-14
    )


FORMULAS = [
    (parameter, link)
    for kind in FAMILIES.values()
    for parameter in kind.further
    for link in parameter.links
]


@pytest.mark.parametrize(
    ("parameter", "link"), dict.fromkeys(FORMULAS), ids=lambda each: getattr(each, "name", each)
)
def test_formulas_give_parameters_on_the_line(parameter: Parameter, link: str) -> None:
    own, h = LINKS[link], 1e-6
    inside = np.linspace(0.05, 0.95, 7)
    values = np.log(inside) if parameter.support == "real" else inside
    for eta in own.link(values):
        value, slope = to_line(line_code(parameter, own), float(eta))
        expected = parameter.line(np.atleast_1d(own.inverse(np.array([eta]))))
        assert value == pytest.approx(float(expected[0]), abs=1e-12)
        ahead, behind = (to_line(line_code(parameter, own), eta + s)[0] for s in (h, -h))
        assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-6)


def test_every_formula_has_the_link_that_specifications_leave_out() -> None:
    own = {p.name: p.links[0] for p, _ in FORMULAS if p.support != "real"}
    assert own == PARAMETER_LINKS


def test_exponentials_and_logarithms_are_numpys() -> None:
    x = np.concatenate([np.linspace(-708, 709, 20011), np.linspace(-1, 1, 2001)])
    np.testing.assert_allclose([exponential(v) for v in x], np.exp(x), rtol=1e-15)
    far = [exponential(v) for v in (-800.0, -np.inf, 710.0, np.inf, np.nan)]
    np.testing.assert_array_equal(far, [0.0, 0.0, np.inf, np.inf, np.nan])
    small = np.concatenate([np.linspace(0, 1, 2001), np.logspace(-300, 0, 301)])
    np.testing.assert_allclose([log_one_plus(v) for v in small], np.log1p(small), rtol=1e-15)
    wide = np.concatenate([np.logspace(-300, 300, 2001), np.linspace(0.5, 2, 2001)])
    np.testing.assert_allclose([logarithm(v) for v in wide], np.log(wide), rtol=4e-16, atol=4e-16)
