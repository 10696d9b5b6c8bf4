from bayesmlm import names


def test_names_of_a_grouping():
    assert names.sd("school") == "sd_school"
    assert names.effects("school:class") == "u_school:class"
    assert names.effect_dim("school") == "school_effect"
    assert names.pair("Intercept", "x") == "Intercept~x"


def test_no_name_is_a_path():
    assert names.sd("a/b\\c") == "sd_a_b_c"


def test_reserved_names_hold_the_variables_of_every_grouping():
    reserved = names.reserved_for(["school"])
    assert {"beta", "sigma", "obs", "u_school", "school_pair"} <= reserved
    assert "school" not in reserved
