import inspect

from bayesmlm import errors


def test_every_error_has_one_root():
    found = [
        value
        for _, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, Exception) and not issubclass(value, Warning)
    ]
    assert len(found) > 5
    assert all(issubclass(value, errors.BayesmlmError) for value in found)


def test_a_message_has_three_parts():
    text = errors.message("got x", "a or b", "do c")
    assert text.splitlines() == ["got x", "  allowed: a or b", "  next:    do c"]


def test_suggestion_only_for_a_near_miss():
    assert errors.suggestion("scool", ["school", "class"]) == " (did you mean 'school'?)"
    assert errors.suggestion("zzz", ["school"]) == ""
