import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

PROBE = """<script>addEventListener("load", () => {
  const images = [...document.images];
  const box = element => element.getBoundingClientRect();
  const wide = [...document.querySelectorAll("h1, h2, figure, img, .table, pre")];
  document.title = JSON.stringify({
    images: images.length,
    broken: images.filter(image => !(image.complete && image.naturalWidth > 200)).length,
    formulas: document.querySelectorAll("math").length,
    flat: [...document.querySelectorAll("math")].filter(math => box(math).height < 20).length,
    tables: document.querySelectorAll("table").length,
    outside: wide.filter(each => box(each).right > innerWidth + 1).length,
    asked: performance.getEntriesByType("resource")
      .filter(each => !each.name.startsWith("data:")).length,
  });
});</script></body>"""
"""Only of the test: the page says in its title what the browser made of it."""


def browser():
    """Return the path of a browser, or skip."""
    named = os.environ.get("BROWSER_PATH")
    found = [named] if named else [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} on PATH")
    return found[0]


def opened(path: Path, profile: Path) -> str:
    """Return a page's HTML after a headless browser has laid it out."""
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={profile}", "--window-size=1100,900"]
    command += ["--virtual-time-budget=20000", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_page_holds_everything_itself(fit, tmp_path):
    fit.report(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    for piece in ("The model", "Results", "Pictures", "What was assumed", "Can it be trusted?"):
        assert f"<h2>{piece}</h2>" in text
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert text.count('src="data:image/png;base64,') == 12
    assert "Within and between: g" in text
    assert "Normal(" in text  # the priors
    assert "Converged" in text


def test_what_a_fit_does_not_have_is_said(make_result, frame, tmp_path):
    import numpy as np

    import bayesmlm as mlm

    model = mlm.Model("y ~ w + (1 | g)", frame)
    rng = np.random.default_rng(0)
    fit = mlm.Fit(
        make_result(
            model,
            beta=rng.normal(size=(4, 50, 2)),
            sd_g=rng.uniform(1, 2, size=(4, 50, 1)),
            u_g=rng.normal(size=(4, 50, 6, 1)),
            sigma=rng.uniform(1, 2, size=(4, 50)),
        )
    )
    fit.report(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    assert "<h3>Not drawn</h3>" in text
    assert "<li>Effects together: g: " in text


@pytest.mark.slow
def test_a_browser_shows_the_report(tmp_path):
    import json

    import bayesmlm as mlm

    data = mlm.datasets.load("sleepstudy")
    fit = mlm.Model("Reaction ~ Days + (Days | Subject)", data).fit("laplace", seed=1)
    path = tmp_path / "report.html"
    fit.report(path)
    path.write_text(path.read_text().replace("</body>", PROBE))
    shown = opened(path, tmp_path / "profile")
    found = json.loads(re.search(r"<title>(.*?)</title>", shown)[1].replace("&quot;", '"'))
    assert found["images"] == 12 and found["broken"] == 0
    assert found["formulas"] == 2 and found["flat"] == 0
    assert found["tables"] == 5
    assert found["outside"] == 0
    assert found["asked"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("words", ["fixed/random", "levels", "population/group"])
def test_a_browser_shows_the_tables(words, tmp_path):
    import bayesmlm as mlm

    model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    fit = model.fit("reml")
    parts = [fit.summary(vocabulary=words).html(), mlm.compare_fits([fit, fit]).html()]
    path = tmp_path / "tables.html"
    path.write_text(f"<!doctype html><meta charset='utf-8'><body>{''.join(parts)}{PROBE}")
    shown = opened(path, tmp_path / "profile")
    assert '"tables":3' in shown.replace("&quot;", '"')
    cells = re.findall(r"<td[^>]*>(.*?)</td>", shown)
    assert "251.4" in cells and "10.5" in cells
    assert "10.5 (1.5)" in cells
