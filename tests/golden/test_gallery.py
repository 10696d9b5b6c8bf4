"""The gallery by its own tolerance rule, for the models whose data come with the package."""

import pytest

import bayesmlm as mlm
from bayesmlm import gallery

pytestmark = pytest.mark.slow

ENTRIES = [
    name for name in gallery.available() if mlm.datasets.about(gallery.read(name).dataset).included
]


@pytest.mark.parametrize("name", ENTRIES)
def test_ours_agrees_with_the_published_table(name):
    entry = gallery.read(name)
    fit = entry.model().fit(**{"seed": 1} | entry.fit_options())
    print(f"{name}: {fit.check()}")
    assert fit.check().ok  # R-hat, ESS, divergences; k-hat of importance draws
    table = gallery.compare(entry, fit)
    assert table["ok"].all(), table[~table["ok"]].to_string()
