"""Recovery in blocks: the same numbers as at once, whatever the groupings."""

import numpy as np
import pytest

from bayesmlm.density import recovery as module
from bayesmlm.density.noise import Noise

FORMULAS = {
    "one": "y ~ x + (x | a)",
    "no fixed": "y ~ 0 + (x | a)",
    "nested": "y ~ x + (x | a) + (1 | b)",
    "deep": "y ~ x + (1 | a) + (w || b) + (1 | top)",
    "crossed": "y ~ x + (x | a) + (1 | c)",
    "wide crossed": "y ~ x + (1 | a) + (x + w | c)",
    "known scale": "y | se(s) ~ x + (x | a)",
}


@pytest.fixture(params=FORMULAS)
def found(request, frame, marginal_of, psi_of):
    marginal = marginal_of(FORMULAS[request.param], frame(4))
    psi = psi_of(marginal, 4, 5)[[0, 1, 2, 1, 4, 3, 1]]  # resampled vectors repeat
    return marginal, marginal.recovery(psi, Noise(2))


def test_blocks_are_parts_of_the_whole(found, monkeypatch):
    marginal, recovery = found
    whole = recovery.everything(marginal.prior.matrix)[1][recovery.leading_group]
    leading = recovery.leading(*recovery.outer(marginal.prior.matrix))
    q, S = whole.shape[2], len(whole)
    monkeypatch.setattr(module, "BLOCK", 4 * q * S)
    blocks = list(leading.blocks())
    J = whole.shape[1]
    assert [len(groups) for groups, _ in blocks] == {9: [4, 4, 1], 4: [4]}[J]
    assert np.array_equal(np.concatenate([drawn for _, drawn in blocks]).transpose(2, 0, 1), whole)


def test_any_groups_in_any_order(found):
    marginal, recovery = found
    whole = recovery.everything(marginal.prior.matrix)[1][recovery.leading_group]
    leading = recovery.leading(*recovery.outer(marginal.prior.matrix))
    chosen = np.array([3, 2, 2, 0])
    assert np.array_equal(leading.draw(chosen).transpose(2, 0, 1), whole[:, chosen])
    assert leading.draw(chosen[:0]).shape == (0, whole.shape[2], len(whole))


def test_a_model_without_groups_has_fixed_effects_alone(frame, marginal_of, psi_of):
    marginal = marginal_of("y ~ x", frame(4))
    beta, effects = marginal.recover(psi_of(marginal, 4, 6), Noise(1))
    assert beta.shape == (6, 2) and effects == {}
