"""Batches on machines whose FFT plans differ: pinned, journaled, and made again where they changed."""

from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from reverb import ImpulseResponse, process_file, process_files
from reverb.engine import fftw, machine, tuning
from reverb.engine.machine import Machine
from reverb.errors import ParameterError
from reverb.render.batch import cluster
from reverb.render.batch.run_task import WorkerContext, run_in_this_process
from reverb.render.batch.tasks import Outcome, Task
from tests.render.batch.folders import contents, fill, journal
from tests.signals import decaying

EFFECT = ImpulseResponse(0.1 * decaying(2000, 2), 48_000)
FRAMES = 3_000_000  # worth FFTW


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "takes", "a.wav", frames=FRAMES)


def tune(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(fftw, "SIZES", (1 << 15,))
    digest = tuning.learn_fftw()
    machine.save(Machine(fftw_sizes=fftw.SIZES, fftw_digest=digest))
    assert digest == machine.here().digest != ""
    return digest


@pytest.mark.usefixtures("empty_planner", "in_this_process")
def test_a_batch_pins_and_journals_the_plans_and_resumes_by_them(
    takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_files(takes, "plain", EFFECT)
    assert journal(Path("plain"))["a.wav"]["fft_plans"] is None
    digest = tune(monkeypatch)
    again = process_files(takes, "plain", EFFECT, resume=True)
    assert again.count("done") == 1  # other plans, other rounding
    process_files(takes, "tuned", EFFECT)
    assert contents(Path("tuned")) == contents(Path("plain"))
    process_file(takes / "a.wav", "alone.wav", EFFECT)
    assert Path("alone.wav").read_bytes() == Path("tuned/a.wav").read_bytes()
    assert journal(Path("tuned"))["a.wav"]["fft_plans"] == digest
    assert process_files(takes, "tuned", EFFECT, resume=True).count("kept") == 1


@pytest.mark.usefixtures("empty_planner", "in_this_process")
def test_a_cluster_of_tuned_and_untuned_machines_gives_the_bytes_of_an_untuned_one(
    takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(tasks: Iterable[Task], context: WorkerContext, scheduler: str) -> Generator[Outcome]:  # noqa: ARG001
        return run_in_this_process(tasks, context)

    monkeypatch.setattr(cluster, "run", run)
    process_files(takes, "untuned", EFFECT)
    tune(monkeypatch)
    process_files(takes, "cluster", EFFECT, scheduler="tcp://host:1")
    assert contents(Path("cluster")) == contents(Path("untuned"))
    assert journal(Path("cluster"))["a.wav"]["fft_plans"] is None
    process_files(takes, "tuned", EFFECT)
    assert contents(Path("tuned")) != contents(Path("untuned"))


@pytest.mark.usefixtures("empty_planner", "in_this_process")
def test_a_machine_that_is_tuned_during_a_batch_says_why_it_stops(
    takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = Machine(fftw_sizes=(1 << 15,), fftw_digest="of-the-start")
    monkeypatch.setattr("reverb.render.batch.batch.here", lambda: pinned)
    report = process_files(takes, "out", EFFECT)
    assert report.count("failed") == 1
    error = str(report.outcomes[0].error)
    assert "of-the-start" in error
    assert "none" in error
    assert not Path("out/a.wav").exists()


def test_a_file_refuses_plans_that_this_machine_does_not_have(takes: Path) -> None:
    with pytest.raises(ParameterError, match="0123"):
        process_file(
            takes / "a.wav", "out.wav", EFFECT, machine=Machine(fftw_sizes=(32768,), fftw_digest="0123")
        )
    assert not Path("out.wav").exists()
