import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from bayesmlm.families import family
from bayesmlm.summaries.response_scale import normal_nodes, random_nodes, response_icc

LINKS = [("bernoulli", "logit"), ("bernoulli", "probit"), ("poisson", "log")]


def expectation(f):
    return quad(lambda x: f(x) * norm.pdf(x), -12, 12, epsabs=1e-13, limit=400)[0]


@pytest.mark.parametrize(("name", "link"), LINKS)
@pytest.mark.parametrize("sd", [0.2, 1.0, 3.0])
def test_one_grouping_is_the_integral(name, link, sd):
    kind = family(name, link)
    center = -0.6

    def mu(x):
        return float(kind.link.inverse(np.array([center + sd * x]))[0])

    def sampling(x):
        return mu(x) if name == "poisson" else mu(x) * (1 - mu(x))

    mean = expectation(mu)
    between = expectation(lambda x: (mu(x) - mean) ** 2)
    found = response_icc(kind, np.array([center]), np.array([sd**2]), np.zeros(1), normal_nodes())
    assert found[0] == pytest.approx(between / (between + expectation(sampling)), rel=1e-6)


@pytest.mark.parametrize(("name", "link"), LINKS)
def test_effects_that_are_not_shared(name, link):
    """Var(E[mu | a]) by nested integrals."""
    kind, center, common, rest = family(name, link), 0.3, 0.6, 0.9

    def mu(eta):
        return float(kind.link.inverse(np.array([eta]))[0])

    points, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    values = np.array(
        [[mu(center + np.sqrt(common) * a + np.sqrt(rest) * b) for b in points] for a in points]
    )
    given_a = values @ weights
    mean = given_a @ weights
    variance = values if name == "poisson" else values * (1 - values)
    total = ((values - mean) ** 2 + variance) @ weights @ weights
    expected = ((given_a - mean) ** 2) @ weights / total
    found = response_icc(
        kind, np.array([center]), np.array([common]), np.array([rest]), normal_nodes()
    )
    assert found[0] == pytest.approx(expected, rel=1e-6)


@given(
    st.sampled_from(LINKS),
    st.floats(-30, 30),
    st.floats(0, 100),
    st.floats(0, 100),
    st.booleans(),
)
def test_it_lies_between_zero_and_one(which, center, common, rest, exact):
    nodes = normal_nodes() if exact else random_nodes(1)
    if which[0] == "poisson" and not exact:
        common, rest = common / 10, rest / 10  # counts that a double holds
    found = response_icc(
        family(*which), np.array([center]), np.array([common]), np.array([rest]), nodes
    )
    assert 0 <= found[0] <= 1


def test_nothing_shared_is_zero():
    kind = family("bernoulli", "logit")
    found = response_icc(kind, np.zeros(1), np.zeros(1), np.ones(1), normal_nodes())
    assert found[0] == pytest.approx(0, abs=1e-15)
