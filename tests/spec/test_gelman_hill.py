from bayesmlm.reports.mathml import plain
from bayesmlm.spec import equations, formula
from bayesmlm.spec.gelman_hill import gelman_hill


def test_families_with_their_links():
    spec = equations("level 1: logit(r | trials(n)) = b0 + b1*x\nlevel 2 (g): b0 = g00 + u0")
    assert plain(gelman_hill(spec)).splitlines()[0] == (
        "r[i] ∼ Binomial(n[i], logit^(−1)(α[j[i]] + β x[i])), i = 1,…,n"
    )
    spec = formula("y ~ x + (1 | g)").with_family("poisson")
    assert "Poisson(exp(α[j[i]] + β x[i]))" in plain(gelman_hill(spec))


def test_gelman_and_hill_write_group_predictors_into_the_groups_distribution():
    spec = formula("y ~ x*w + (x | g)")
    lines = plain(gelman_hill(spec, {"w": ("g",)})).splitlines()
    assert lines[0] == "y[i] ∼ N(α[j[i]] + β[j[i]] x[i], σ[y]²), i = 1,…,n"
    assert lines[1].startswith("(α[j]; β[j]) ∼ N((γ[0]^(α) + γ[1]^(α) w[j]; γ[0]^(β) +")
    assert len(lines) == 2


def test_a_coefficient_of_all_groups_has_no_index():
    lines = plain(gelman_hill(formula("y ~ x + (1 | g) + (1 | h)"))).splitlines()
    assert lines[0] == "y[i] ∼ N(α[j[i]] + α[k[i]]^(h) + β x[i], σ[y]²), i = 1,…,n"
    assert lines[1:] == [
        "α[j] ∼ N(γ[0]^(α), σ[α,g]²), j = 1,…,J[g]",
        "α[k]^(h) ∼ N(0, σ[α,h]²), k = 1,…,J[h]",
    ]


def test_three_levels_nest_their_indices():
    lines = plain(gelman_hill(formula("y ~ x + (x | a/b)"))).splitlines()
    assert lines[1].startswith("(α[j]; β[j]) ∼ N((γ[0,k[j]]^(α); γ[0,k[j]]^(β)), Σ[a:b])")
    assert lines[2].startswith("(γ[0,k]^(α); γ[0,k]^(β)) ∼ N(")
    assert lines[2].endswith("k = 1,…,J[a]")


def test_known_errors_and_precisions_stand_in_the_variance():
    assert ", se[i]²)" in plain(gelman_hill(formula("y | se(se) ~ 1 + (1 | g)")))
    assert ", σ[y]²/w[i])" in plain(gelman_hill(formula("y | precision(w) ~ 1 + (1 | g)")))


def test_ordered_categories_have_cutpoints_and_no_intercept():
    spec = formula("y ~ x + w + (1 | g)").with_family("cumulative", "probit")
    assert plain(gelman_hill(spec, {"w": ("g",)})).splitlines() == [
        "P(y[i] ≤ k) = Φ(c[k] − (α[j[i]] + β x[i])), i = 1,…,n",
        "α[j] ∼ N(γ[1]^(α) w[j], σ[α,g]²), j = 1,…,J[g]",
    ]
    alone = plain(gelman_hill(formula("y ~ 1").with_family("cumulative")))
    assert alone.startswith("P(y[i] ≤ k) = logit^(−1)(c[k]), i")
