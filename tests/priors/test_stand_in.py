import bayesmlm as mlm
from bayesmlm.priors.stand_in import WIDER, normal_stand_in, stand_in


def test_normal_priors_stay():
    prior = mlm.Normal(1, 2)
    assert stand_in(prior) is prior


def test_centre_and_scale_of_a_stand_in():
    assert stand_in(mlm.StudentT(3, 1, 2)) == mlm.Normal(1, WIDER * 2)
    assert stand_in(mlm.Cauchy(-1, 0.5)) == mlm.Normal(-1, WIDER * 0.5)


def test_priors_without_need_are_the_same_object():
    data = mlm.datasets.load("sleepstudy")
    formula = "Reaction ~ Days + (1 | Subject)"
    plain = mlm.Model(formula, data).prior_values
    assert normal_stand_in(plain) is plain
    other = mlm.Model(formula, data, priors={"Days": mlm.StudentT(3, 0, 10)}).prior_values
    assert normal_stand_in(other).coefficients["Days"] == mlm.Normal(0, WIDER * 10)
