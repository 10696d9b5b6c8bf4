import pytest

from bayesmlm.engines.progress import Progress, is_interactive


def test_stages_are_timed_without_being_shown(capfd):
    progress = Progress(show=False)
    with progress.running(), progress.stage("compile"):
        pass
    assert progress.seconds["compile"] >= 0
    assert progress.counter("sample") is None
    assert capfd.readouterr() == ("", "")


def test_a_counter_draws_what_it_is_told(capfd):
    progress = Progress(show=True)
    with progress.running():
        count = progress.counter("sample")
        count(5, 10, "2 divergences")
        count(10, 10, "3 divergences")
    assert "3 divergences" in capfd.readouterr().err


def test_stages_and_counts_are_reported_without_being_shown(capfd):
    heard = []
    progress = Progress(report=lambda *said: heard.append(said))
    with progress.running(), progress.stage("compile", "once"):
        progress.counter("sample")(5, 10, "2 divergences")
    assert heard == [("compile", 0, None, "once"), ("sample", 5, 10, "2 divergences")]
    assert capfd.readouterr() == ("", "")


def test_a_failed_stage_passes_its_error_on():
    progress = Progress(show=False)
    with pytest.raises(ValueError, match="boom"), progress.running(), progress.stage("compile"):
        raise ValueError("boom")
    assert "compile" not in progress.seconds


def test_continuous_integration_is_not_interactive(monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert not is_interactive()
