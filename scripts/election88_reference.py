"""The posterior that models/election88-full.toml is held against.

    BAYESMLM_DATA=FOLDER python scripts/election88_reference.py

ML puts the SD between age groups at zero, so the reference of this model is a posterior. The
model is written out by hand here, with the priors of the model file, and sampled long by
PyMC's own sampler; nothing of bayesmlm but the data takes part.
"""

import warnings

import numpy as np
import pymc as pm

from bayesmlm.datasets import load

GROUPS = ("age", "edu", "age_edu", "state", "region")
SEED = 1988


def main():
    polls = load("election88")
    black, female = polls["black"].to_numpy(), polls["female"].to_numpy()
    columns = {
        "Intercept": (np.ones(len(polls)), 10.0),
        "black": (black, 5.0),
        "female": (female, 5.0),
        "v_prev_adj": (polls["v_prev_adj"].to_numpy(), 20.0),
        "black:female": (black * female, 5.0),
    }
    X = np.column_stack([column for column, _ in columns.values()])
    scale = np.array([sigma for _, sigma in columns.values()])
    # orthogonal columns for the sampler: beta = R⁻¹ theta has the stated prior through a potential
    Q, R = np.linalg.qr(X)
    Q, R = Q * np.sqrt(len(X)), R / np.sqrt(len(X))
    with pm.Model():
        theta = pm.Flat("theta", shape=len(scale))
        beta = pm.Deterministic("beta", pm.math.dot(np.linalg.inv(R), theta))
        pm.Potential("prior", pm.logp(pm.Normal.dist(0, scale), beta).sum())
        eta = pm.math.dot(Q, theta)
        for group in GROUPS:
            levels, codes = np.unique(polls[group], return_inverse=True)
            sd = pm.HalfNormal(f"sd_{group}", 1.0)
            eta = eta + sd * pm.Normal(f"z_{group}", 0, 1, shape=len(levels))[codes]
        pm.Bernoulli("bush", logit_p=eta, observed=polls["bush"].to_numpy())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = pm.sample(
                8000, tune=2000, chains=4, target_accept=0.995, random_seed=SEED,
                nuts_sampler="pymc", progressbar=False, initvals={"theta": np.zeros(len(scale))},
            )  # fmt: skip
    print("divergences", int(tree["sample_stats"]["diverging"].sum()))
    posterior = tree["posterior"]
    draws = {name: posterior["beta"].to_numpy()[..., k] for k, name in enumerate(columns)}
    draws |= {f"sd_{g}[Intercept]": posterior[f"sd_{g}"].to_numpy() for g in GROUPS}
    for name, values in draws.items():
        half = np.abs(values.mean(axis=1) - values.mean()).max() / values.std()
        print(
            f'"{name}" = {{ estimate = {values.mean():.5g}, se = {values.std():.4g} }}'
            f"  # chain means within {half:.3f} SD"
        )


if __name__ == "__main__":
    main()
