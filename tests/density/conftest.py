"""Small random data, and the same Gaussian model in dense algebra."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density import GaussianMarginal, gaussian_marginal


@pytest.fixture(scope="session")
def frame():
    """Return a function of a seed, rows and groups that gives random data.

    Groups `a` lie in `b` and these in `top`; `c` crosses them. Sizes are uneven, and some
    groups have one row. Predictors are not centred, `s` and `v` are positive.
    """

    def make(seed, rows=40, groups=9):
        rng = np.random.default_rng(seed)
        a = np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])
        a = a[rng.permutation(rows)]
        data = {"a": a, "b": a // 2, "top": a // 4, "c": rng.permutation(np.arange(rows) % 4)}
        data |= {"x": rng.normal(3, 1, rows), "w": rng.normal(-1, 2, rows)}
        data |= {"s": rng.uniform(0.5, 2, rows), "v": rng.uniform(0.5, 2, rows)}
        return pd.DataFrame(data).assign(y=rng.normal(20, 3, rows) + data["x"])

    return make


@pytest.fixture(scope="session")
def marginal_of():
    """Return a function of a formula, data and priors that gives the marginal density."""

    def build(formula, data, priors=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mlm.BayesmlmWarning)
            model = mlm.Model(formula, data, priors=priors)
        marginal = gaussian_marginal(model.design, model.prior_values)
        assert isinstance(marginal, GaussianMarginal), marginal
        return marginal

    return build


@pytest.fixture(scope="session")
def psi_of():
    """Return a function of a marginal density and a seed that gives hyperparameters."""

    def draw(marginal, seed, size=3):
        rng = np.random.default_rng([seed, 1])
        return rng.uniform(-2, 2, (size, marginal.layout.size))

    return draw


@dataclass(frozen=True)
class Dense:
    """One Gaussian model at one vector of hyperparameters, in dense matrices.

    y = offset + W (beta, u) + e, (beta, u) ~ N(mean, prior), e ~ N(0, diag(noise)).
    """

    y: np.ndarray
    W: np.ndarray
    mean: np.ndarray
    prior: np.ndarray
    noise: np.ndarray
    constant: float
    p: int

    def log_likelihood(self):
        V = self.W @ self.prior @ self.W.T + np.diag(self.noise)
        return self.constant + normal(self.y - self.W @ self.mean, V)

    def maximum_likelihood(self):
        V, X = self.without_beta()
        best = np.linalg.lstsq(*whitened(V, X, self.y), rcond=None)[0]
        return self.constant + normal(self.y - X @ best, V)

    def restricted_likelihood(self):
        V, X = self.without_beta()
        information = X.T @ np.linalg.solve(V, X)
        half = 0.5 * (self.p * np.log(2 * np.pi) - np.linalg.slogdet(information)[1])
        return self.maximum_likelihood() + half

    def without_beta(self):
        Z, T = self.W[:, self.p :], self.prior[self.p :, self.p :]
        return Z @ T @ Z.T + np.diag(self.noise), self.W[:, : self.p]

    def posterior(self):
        """Return mean and covariance of (beta, u) given y."""
        gain = self.prior @ self.W.T
        V = self.W @ gain + np.diag(self.noise)
        mean = self.mean + gain @ np.linalg.solve(V, self.y - self.W @ self.mean)
        return mean, self.prior - gain @ np.linalg.solve(V, gain.T)


def whitened(V, X, y):
    L = np.linalg.cholesky(V)
    return np.linalg.solve(L, X), np.linalg.solve(L, y)


def normal(residual, V):
    """Return the log density of a multivariate normal."""
    quad = residual @ np.linalg.solve(V, residual)
    return -0.5 * (len(residual) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + quad)


@pytest.fixture(scope="session")
def dense():
    """Return a function of a marginal density and one psi that gives the dense model."""

    def build(marginal, psi):
        design, priors, layout = marginal.design, marginal.priors, marginal.layout
        rows, n = design.outcome.rows, len(design.y)
        sigma2 = layout.residual_sd(psi[None])[0] ** 2
        precision = 1 / rows["se"] ** 2 if "se" in rows else rows.get("precision", np.ones(n))
        power = rows.get("weights", np.ones(n))
        noise = sigma2 / (precision * power)
        # a likelihood raised to a power is that of a weighted row, apart from its constant
        constant = 0.5 * (
            np.log(2 * np.pi * noise) - power * np.log(2 * np.pi * sigma2 / precision)
        )
        mean, covariance = fixed(design, priors)
        W, blocks = [design.X], [covariance]
        for slots in layout.groups:
            L = slots.factor(psi[None])[0]
            J, q = slots.block.grouping.size, len(slots.block.effects)
            E = np.zeros((n, J * q))
            for k in range(q):
                E[np.arange(n), slots.block.grouping.codes * q + k] = slots.block.Z[:, k]
            W.append(E)
            blocks.append(np.kron(np.eye(J), L @ L.T))
        W = np.column_stack(W)
        prior, at = np.zeros((W.shape[1], W.shape[1])), 0
        for block in blocks:
            prior[at : at + len(block), at : at + len(block)] = block
            at += len(block)
        means = np.concatenate([mean, np.zeros(len(prior) - len(mean))])
        y = design.y - design.offset
        return Dense(y, W, means, prior, noise, float(constant.sum()), len(mean))

    return build


def fixed(design, priors):
    """Return mean and covariance of the fixed effects, the default intercept's at the means."""
    F = np.eye(len(design.coef))
    if priors.intercept_at_means and "Intercept" in design.coef:
        F[design.coef.index("Intercept")] = design.X.mean(axis=0)
    mu = np.array([priors.coefficients[name].mu for name in design.coef])
    sd = np.array([priors.coefficients[name].sigma for name in design.coef])
    inverse = np.linalg.inv(F)
    return inverse @ mu, (inverse * sd**2) @ inverse.T


class Units:
    """In place of `Noise`: each draw has one one, in (other effects, leading ones, beta)."""

    def __init__(self, marginal):
        sizes, widths = marginal.structure.sizes, marginal.structure.widths
        self.first = sum(J * q for J, q in zip(sizes[1:], widths[1:], strict=True))

    def others(self, S, m):
        return np.eye(S)[:, :m].copy()

    def leading(self, groups, q, S):
        return np.eye(S)[self.first + np.asarray(groups)[:, None] * q + np.arange(q)]

    def fixed(self, S, p):
        return np.eye(S)[:, S - p :].copy()


@pytest.fixture(scope="session")
def conditional():
    """Return a function of a marginal density and one psi: mean and covariance of (beta, u).

    Draws are linear in the noise, so unit noise gives their covariance exactly.
    """

    def read(marginal, psi):
        size = marginal.structure.n_effects + len(marginal.design.coef)
        mean = stacked(marginal, *marginal.recover(psi[None]))[0]
        drawn = marginal.recover(np.tile(psi, (size, 1)), Units(marginal))
        moves = stacked(marginal, *drawn) - mean
        return mean, moves.T @ moves

    return read


def stacked(marginal, beta, effects):
    """Return (beta, u), shape (S, p + sum J q), in the order of the design."""
    parts = [effects[s.block.name].reshape(len(beta), -1) for s in marginal.layout.groups]
    return np.concatenate([beta, *parts], axis=1)


@pytest.fixture(scope="session")
def agrees(dense, conditional):
    """Return a function that holds a marginal density against dense algebra at some psi."""

    def hold(marginal, psi):
        truth = [dense(marginal, one) for one in psi]
        for name in ("log_likelihood", "maximum_likelihood", "restricted_likelihood"):
            expected = [getattr(one, name)() for one in truth]
            np.testing.assert_allclose(
                getattr(marginal, name)(psi), expected, rtol=1e-8, atol=1e-8, err_msg=name
            )
        mean, covariance = truth[0].posterior()
        got, spread = conditional(marginal, psi[0])
        sd = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(got / sd, mean / sd, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(
            spread / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=1e-8
        )
        np.testing.assert_allclose(
            marginal.likelihood_gradient(psi[0]),
            central_differences(marginal.log_likelihood, psi[0]),
            rtol=1e-6,
            atol=1e-6,
        )

    return hold


@pytest.fixture(scope="session")
def differences():
    """Return `central_differences`."""
    return central_differences


def central_differences(function, psi, step=1e-4):
    """Return the gradient of a batched function by central differences of fourth order."""
    moves = step * np.eye(len(psi))
    near = function(psi + moves) - function(psi - moves)
    far = function(psi + 2 * moves) - function(psi - 2 * moves)
    return (8 * near - far) / (12 * step)
