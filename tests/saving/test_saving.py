"""A file of every version of the format is kept, and loads.

A change of a stored class must leave the file of the last release readable: give new fields a
default, or raise `VERSION` and read the old version too. Before a release only,
``BAYESMLM_WRITE_FORMAT=1 pytest tests/saving/test_saving.py`` writes the file of this version.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.saving.archive import READS, VERSION

HERE = Path(__file__).parent


def figures(fit, frame):
    """What a fit says, in figures that no change of a table's layout touches."""
    design = fit.result.design
    encoded = design.apply(frame)
    return {
        "formula": fit.equations().formula,
        "equations": fit.equations().text,
        "coef": list(design.coef),
        "labels": list(design.random[0].grouping.labels),
        "X": [float(x) for x in np.abs(encoded.X).sum(axis=0)],
        "codes": np.bincount(encoded.codes["school"]).tolist(),
        "beta": [float(x) for x in fit.result.posterior["beta"].mean(("chain", "draw"))],
        "priors": {name: str(prior) for name, prior in fit.result.priors.coefficients.items()},
        "engine": str(fit.result.engine),
        "seed": fit.result.seed,
    }


@pytest.mark.parametrize("version", READS)
def test_a_file_of_each_version_loads(version, fit_of, frame):
    path = HERE / f"format_{version}.zip"
    if version == VERSION and os.environ.get("BAYESMLM_WRITE_FORMAT"):
        fit = fit_of("equations", draws=6)
        fit.save(path)
        text = json.dumps(figures(fit, frame), indent=1, ensure_ascii=False)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    found = figures(mlm.load(path), frame)
    for name in ("X", "beta"):
        assert found.pop(name) == pytest.approx(expected.pop(name), rel=1e-12)
    assert found == expected
