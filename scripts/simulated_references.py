"""REML estimates of the two simulated lessons, by dense algebra and nothing of bayesmlm's models.

    python scripts/simulated_references.py

With V = sigma² I + sum over groupings of tau² Z Z', minimise the restricted deviance
log|V| + log|X'V⁻¹X| + r'V⁻¹r over the log SDs, r the residual of generalised least squares.
What it prints stands in models/patents.toml and models/four-classrooms.toml.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from bayesmlm.datasets import simulate_four_classrooms, simulate_patents


def gls(V, X, y):
    L = np.linalg.cholesky(V)
    A, b = np.linalg.solve(L, X), np.linalg.solve(L, y)
    information = A.T @ A
    beta = np.linalg.solve(information, A.T @ b)
    return L, information, beta, b - A @ beta


def reml(X, y, groups):
    indicators = [pd.get_dummies(g).to_numpy(float) for g in groups]
    kernels = [Z @ Z.T for Z in indicators]

    def covariance(log_sds):
        *taus, sigma = np.exp(2 * log_sds)
        parts = (t * K for t, K in zip(taus, kernels, strict=True))
        return sum(parts, sigma * np.eye(len(y)))

    def deviance(log_sds):
        L, information, _, r = gls(covariance(log_sds), X, y)
        return 2 * np.log(np.diag(L)).sum() + np.linalg.slogdet(information)[1] + r @ r

    start = np.full(len(groups) + 1, np.log(y.std() / 2))
    best = min(
        (
            minimize(
                deviance, start + shift, method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 20000},
            )
            for shift in (0.0, -1.0)
        ),
        key=lambda found: found.fun,
    )  # fmt: skip
    _, information, beta, _ = gls(covariance(best.x), X, y)
    return beta, np.sqrt(np.diag(np.linalg.inv(information))), np.exp(best.x)


def show(name, coefficients, groups, result):
    beta, se, sds = result
    print(name)
    for label, estimate, error in zip(coefficients, beta, se, strict=True):
        print(f"  {label} = {{ estimate = {estimate:.6g}, se = {error:.6g} }}")
    for label, sd in zip([*(f"sd_{g}[Intercept]" for g in groups), "sigma"], sds, strict=True):
        print(f"  {label} = {sd:.6g}")


def main():
    patents = simulate_patents()
    groups = ["applicant", "examiner", "technology"]
    X = np.column_stack([np.ones(len(patents)), patents["claims"] - 15])
    result = reml(X, patents["days"].to_numpy(), [patents[g] for g in groups])
    show("patents", ["Intercept", "I(claims - 15)"], groups, result)
    rooms = simulate_four_classrooms()
    X = np.column_stack([np.ones(len(rooms)), rooms["gender"] == "girl"])
    result = reml(X, rooms["score"].to_numpy(), [rooms["room"]])
    show("four-classrooms", ["Intercept", "gender[T.girl]"], ["room"], result)


if __name__ == "__main__":
    main()
