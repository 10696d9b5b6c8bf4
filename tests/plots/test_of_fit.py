"""Every picture by every backend, and through `fit.plot`."""

import inspect

import matplotlib.pyplot as plt
import pytest

from bayesmlm.errors import SpecError, StatisticError
from bayesmlm.plots import Plots

NAMES = tuple(name for name, _ in inspect.getmembers(Plots, inspect.isfunction) if name[0] != "_")


@pytest.mark.parametrize("name", NAMES)
def test_axes_are_labelled_and_nothing_stays_open(slopes, name, tmp_path):
    picture = getattr(Plots(slopes), name)()
    picture.savefig(tmp_path / "x.png", dpi=50)
    assert (tmp_path / "x.png").stat().st_size > 4000
    assert any(axis.get_xlabel() or axis.get_title() for axis in picture.axes)
    assert plt.get_fignums() == []
    assert picture._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["plotly", "bokeh"])
def test_other_backends_write_pages_that_need_no_network(slopes, name, backend, tmp_path):
    pytest.importorskip(backend)
    picture = getattr(Plots(slopes), name)(backend=backend)
    picture.savefig(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    assert "<script src=" not in text
    assert picture.backend == backend


def test_an_unknown_backend_is_refused(slopes):
    with pytest.raises(StatisticError, match="backend='ggplot'"):
        Plots(slopes).qq(backend="ggplot")


def test_the_group_must_be_named_where_there_are_several(make, frame):
    fit = make("y ~ x + (1 | g) + (1 | h)", frame.assign(h=frame.index % 5))
    with pytest.raises(SpecError, match="no group named"):
        Plots(fit).caterpillar()
    assert Plots(fit).shrinkage("h").axes[0].get_ylabel() == "h (rows)"


def test_binary_outcomes_have_lines_and_no_least_squares(make):
    fit = make("hit ~ x + (x | g)", family="bernoulli")
    assert len(Plots(fit).lines().axes[0].lines) == 2
    assert Plots(fit).spaghetti().axes[0].get_ylabel() == "hit"
    assert "(logit of hit)" in Plots(fit).caterpillar().axes[0].get_xlabel()
    with pytest.raises(StatisticError, match="with the logit link"):
        Plots(fit).shrinkage()
    with pytest.raises(StatisticError, match="with the logit link"):
        Plots(fit).within_between()


def test_a_maximum_draws_what_it_has(make):
    plot = Plots(make("y ~ x + w + (x | g)", size=1, chains=1))
    for name in ("shrinkage", "lines", "spaghetti", "variance_components", "variance_function"):
        assert getattr(plot, name)().axes
    with pytest.raises(StatisticError, match="without their posterior"):
        plot.qq()
