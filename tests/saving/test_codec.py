"""Values to JSON and back: the same types, the same bits."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bayesmlm.errors import SavedFitError
from bayesmlm.priors import HalfNormal
from bayesmlm.saving.codec import Decoder, Encoder, from_text, to_text
from bayesmlm.saving.kinds import kinds
from bayesmlm.spec import Declarations, ModelSpec, Predictor, RandomTerm, Residual, Response, Term


def round_trip(value):
    arrays = {}

    def keep(place, array):
        name = f"{len(arrays)}"
        arrays[name] = array.copy()
        return name

    text = to_text(Encoder(keep).encode(value, "value"))
    return Decoder(arrays.__getitem__).decode(from_text(text))


def same(one, other):
    """Equality of type and bits, NaN equal to itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (one != one and other != other)
    if isinstance(one, np.ndarray):
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype.kind == "O":
            return all(map(same, one.ravel().tolist(), other.ravel().tolist()))
        return one.tobytes() == other.tobytes()
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


texts = st.text(st.characters(), max_size=12)  # lone surrogates too
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.int64, np.int8, np.bool_, "U5", np.float32]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
generics = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.booleans().map(np.bool_),
)
values = st.recursive(
    st.one_of(scalars, arrays, generics),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(texts, inner, max_size=4),
        st.dictionaries(st.sampled_from(["$", "$list", "#0", "", "shape"]), inner, max_size=3),
        st.dictionaries(st.integers(), inner, max_size=3),
        st.frozensets(texts, max_size=3),
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=300)
def test_any_value_comes_back(value):
    assert same(round_trip(value), value)


names = st.sampled_from(["x", "w", "log(n)", "bs(z, df=4)", "`IQ.verb`", "within(x, school)"])
terms = st.lists(names, max_size=3, unique=True).map(lambda found: Term(tuple(found)))
groupings = st.sampled_from([("school",), ("school", "class"), ("my group",)])
random_terms = st.builds(
    RandomTerm,
    effects=st.lists(terms, max_size=3, unique=True).map(tuple),
    grouping=groupings,
    covariance=st.sampled_from(["unstructured", "diagonal"]),
    by=st.one_of(st.none(), st.just("sex")),
    members=st.sampled_from([(), ("m1", "m2")]),
)
predictors = st.builds(
    Predictor,
    fixed=st.lists(terms, max_size=4).map(tuple),
    random=st.lists(random_terms, max_size=3).map(tuple),
    offset=st.lists(names, max_size=2).map(tuple),
)
responses = st.builds(
    Response,
    column=st.sampled_from(["y", "log(y)", "`my y`"]),
    predictors=st.dictionaries(st.sampled_from(["mu", "sigma"]), predictors).map(
        lambda found: tuple(found.items())
    ),
    family=st.sampled_from(["gaussian", "bernoulli", "binomial", "poisson"]),
    link=st.sampled_from([None, "logit", "probit", "log"]),
    additions=st.sampled_from([(), (("trials", "n"),), (("weights", "1 / w"),)]),
    residual=st.builds(Residual, by=st.one_of(st.none(), st.just("sex"))),
    family_declared=st.booleans(),
)
declarations = st.builds(
    Declarations,
    coefficients=st.lists(st.tuples(terms, texts), max_size=3).map(tuple),
    random_names=st.lists(st.tuples(texts, terms, texts), max_size=3).map(tuple),
    residual_name=st.one_of(st.none(), texts),
    levels=st.lists(st.tuples(st.integers(2, 4), groupings), max_size=2).map(tuple),
    bare_names=st.lists(texts, max_size=2).map(tuple),
)
specs = st.builds(
    ModelSpec,
    responses=st.lists(responses, min_size=1, max_size=2).map(tuple),
    declared=st.one_of(st.none(), declarations),
)


@given(specs)
@settings(max_examples=200)
def test_any_specification_comes_back(spec):
    again = round_trip(spec)
    assert again == spec and hash(again) == hash(spec)
    assert again.declared == spec.declared
    assert repr(again) == repr(spec)  # the order of terms, which equality ignores


@given(st.floats())
def test_floats_are_exact(value):
    assert same(round_trip(value), value)
    assert math.copysign(1, round_trip(-0.0)) == -1


def test_shared_values_are_references():
    spec = ModelSpec(())
    encoded = Encoder(lambda *_: "", {"spec": spec}).encode((spec, ModelSpec(())), "pair")
    assert encoded == [{"$ref": "spec"}, {"$": "ModelSpec", "responses": [], "declared": None}]
    again = Decoder(lambda _: np.empty(0), {"spec": spec}).decode(encoded)
    assert again[0] is spec and again[1] == spec


@pytest.mark.parametrize("value", [object(), 1j, b"bytes", print, int, {1: {2: object}}])
def test_other_classes_are_refused(value):
    with pytest.raises(SavedFitError, match="value.* holds a"):
        round_trip(value)


def test_classes_are_told_apart_by_name():
    from bayesmlm.engines import ENGINES
    from bayesmlm.families import FAMILIES
    from bayesmlm.priors import PRIORS

    found = kinds()
    for registry in (ENGINES, FAMILIES, PRIORS):
        for kind in registry.values():
            assert found[kind.__name__] is kind


@pytest.mark.parametrize("registry", ["ENGINES", "FAMILIES", "PRIORS"])
def test_every_registered_value_comes_back(registry):
    from bayesmlm.engines import ENGINES
    from bayesmlm.families import FAMILIES, family
    from bayesmlm.priors import PRIORS

    values = {
        "ENGINES": [kind() for kind in ENGINES.values()],
        "FAMILIES": [family(name, link) for name, kind in FAMILIES.items() for link in kind.links],
        "PRIORS": [kind() for kind in PRIORS.values()],
    }[registry]
    for value in values:
        assert round_trip(value) == value and type(round_trip(value)) is type(value)


def test_priors_that_knew_no_parameter_but_sigma_are_read():
    def earlier(sigma):
        fields = {"coefficients": {}, "intercept_at_means": True, "sds": {}, "correlations": {}}
        chosen = {"$set": []}
        return Decoder({}.__getitem__).decode(
            {"$": "Priors", **fields, "sigma": sigma, "chosen": chosen}
        )

    assert earlier({"$": "HalfNormal", "sigma": 2.0}).further == {"sigma": HalfNormal(2.0)}
    assert earlier(None).further == {}
