"""The marks of `scripts/engines.py`, reached on every generalized model.

References are Stan's long runs, else NUTS of the same model, drawn here. Where Stan's run is
there, NUTS is judged too, but for models of over a thousand effects: it takes minutes there.
"""

import engines
import pytest

from bayesmlm import gallery

pytestmark = pytest.mark.slow

GALLERY = [
    name
    for name in gallery.available()
    if gallery.read(name).family not in (None, "gaussian") and name not in engines.SAME
]
SIMULATED = [f"simulated/{size}" for size in engines.CLUSTERS]
MANY = ("stan/rodgold_sim01", "stan/guimmun_3level")


@pytest.mark.filterwarnings("ignore::bayesmlm.errors.BayesmlmWarning")  # of the data
@pytest.mark.parametrize("name", [*GALLERY, *SIMULATED, *(f"stan/{name}" for name in engines.STAN)])
def test_engines_reach_their_marks(name, shared_data, shared_reference, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    monkeypatch.setenv("BAYESMLM_SHARED", str(shared_reference.parent))
    chosen = ["quadrature", "laplace"] if name in MANY else ["nuts", "quadrature", "laplace"]
    found = engines.outcome(name, chosen, print)["engines"]
    judged = {label: row for label, row in found.items() if not row.get("reference")}
    assert {"quadrature", "laplace"} <= set(judged)
    assert all(row["ok"] for row in judged.values()), judged
    assert name in MANY or not found["nuts"]["warns"]
