"""Every engine with a mark reaches it on every generalized model; see `scripts/engines.py`."""

import engines
import pytest

from bayesmlm import gallery

pytestmark = pytest.mark.slow

GALLERY = [
    name
    for name in gallery.available()
    if gallery.read(name).family not in (None, "gaussian") and name not in engines.SAME
]


@pytest.mark.filterwarnings("ignore::bayesmlm.errors.BayesmlmWarning")  # of the data
@pytest.mark.parametrize("name", [*GALLERY, *(f"stan/{name}" for name in engines.STAN)])
def test_engines_reach_their_marks(name, shared_data, shared_reference, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    monkeypatch.setenv("BAYESMLM_SHARED", str(shared_reference.parent))
    found = engines.outcome(name, ["nuts", "quadrature", "laplace"], print)["engines"]
    judged = {label: row for label, row in found.items() if not row.get("reference")}
    assert {"quadrature", "laplace"} <= set(judged)
    assert all(row["ok"] for row in judged.values()), judged
    assert not found["nuts"]["warns"]
