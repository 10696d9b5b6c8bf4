import numpy as np
import pytest

from benchmarks.effective import of_draws, of_file


def test_the_least_effective_parameter_is_named(tmp_path):
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((4, 1000, 3))
    draws[:, :, 1] = draws[:, :, 1].cumsum(axis=1)  # a random walk
    draws[:, :, 2] = 7.0  # never varies, and has no ESS
    found = of_draws(draws, ["good", "walk", "fixed"])
    assert found["min_ess_of"] == found["max_r_hat_of"] == "walk"
    assert found["min_ess"] < 100
    assert found["max_r_hat"] > 1.05
    assert of_draws(draws[:, :, :1], ["good"])["min_ess"] == pytest.approx(4000, rel=0.1)
    path = tmp_path / "draws.bin"
    draws.tofile(path)
    assert of_file(path, [4, 1000, 3], ["good", "walk", "fixed"]) == found
