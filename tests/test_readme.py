"""The README tells the truth."""

import re
from pathlib import Path

import pytest

import bayesmlm as mlm
from bayesmlm.plots import Plots

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_its_formula_is_the_model_of_its_equations():
    equations = re.search(r'mlm\.equations\("""(.*?)"""\)', README, re.DOTALL).group(1)
    formula = re.search(r'mlm\.formula\("(.*?)"\)', README).group(1)
    assert mlm.formula(formula) == mlm.equations(equations)


def test_every_picture_of_the_gallery_is_there():
    docs = Path(__file__).parent.parent / "docs"
    page = (docs / "pictures.md").read_text()
    linked = re.findall(r"\]\((pictures/[^)]*\.png)\)", page)
    assert {Path(name).name for name in linked} == {
        path.name for path in (docs / "pictures").glob("*.png")
    }
    drawn = set(re.findall(r"## `fit\.plot\.(\w+)\(", page))
    assert drawn == {name for name in vars(Plots) if not name.startswith("_")}
    assert "(docs/pictures.md)" in README
    assert (docs.parent / "tutorials" / "01_schools.ipynb").is_file()


def test_every_engine_is_in_its_table():
    from bayesmlm.engines import ENGINES

    assert all(f'`"{name}"`' in README for name in ENGINES)


@pytest.mark.slow
def test_its_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "Converged" in shown
    assert "level 2: school, 160 groups of 14–67" in shown
    assert (tmp_path / "school_effects.png").exists()
