import pytest

from bayesmlm import demo


@pytest.mark.slow
def test_the_demo_prints_the_main_job_and_writes_its_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert demo.main() == 0
    shown = capsys.readouterr().out
    for piece in (
        "b0 = g00",
        "level 2: school, 160 groups of 14–67",
        "Fixed effects",
        "Variance components",
        "Intraclass correlation",
        "Converged",
    ):
        assert piece in shown
    assert (tmp_path / "school_effects.png").stat().st_size > 20_000
