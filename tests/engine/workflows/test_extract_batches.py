"""Extraction with models that describe many images at once: every unit stands alone, the pictures are read ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.batches import Answer, Fitted, Request
from gazeapp.engine.project import Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.types import ImageArray
from gazeapp.engine.workflows import extract_plan
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.engine.workflows.trial import trial
from tests.engine.workflows.stand_in import INFOS, StandIn, install
from tests.engine.workflows.test_extract import rows, study

BATCH = 4


class BatchStandIn(StandIn):
    """The stand-in, for several requests at once; pictures keep their size."""

    batch = BATCH

    def __init__(self, info: ModelInfo, pause_s: float = 0.0) -> None:
        super().__init__(info, pause_s)
        self.fitted = 0
        self.threads: set[int] = set()
        self.asked: list[int] = []

    def fit(self, image: ImageArray) -> Fitted:
        self.fitted += 1
        self.threads.add(threading.get_ident())
        return Fitted(image, image.shape[1], image.shape[0])

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        self.asked.append(len(requests))
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        assert isinstance(request.image, Fitted)
        try:
            return self.describe(request.image.picture, request.task, request.method, request.options)
        except (GazeError, MemoryError) as error:
            return error


class Forgetful(BatchStandIn):
    """Has no memory for the second image of each batch."""

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        return [
            MemoryError() if i == 1 else answer for i, answer in enumerate(super().describe_many(requests))
        ]


def install_batches(
    monkeypatch: pytest.MonkeyPatch, kind: type[BatchStandIn] = BatchStandIn
) -> dict[str, BatchStandIn]:
    loaded: dict[str, BatchStandIn] = {}

    def load(info: ModelInfo, _wishes: object) -> BatchStandIn:
        loaded[info.id] = kind(info)
        return loaded[info.id]

    monkeypatch.setattr(extract_plan, "available_models", lambda: INFOS)
    monkeypatch.setattr(extract_plan, "open_model", load)
    return loaded


def of_mirrored(path: Path) -> list[tuple[object, ...]]:
    with Project.open(path) as project:
        found = project.runs.all(lesion=MIRRORED)
        assert len(found) == 40
        return sorted(
            (run.image_id, run.model, run.task, project.maps.of_run(run.id).mean.tobytes()) for run in found
        )


def test_many_at_once_store_what_one_by_one_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one, at_once = study(tmp_path / "one", 10), study(tmp_path / "many", 10)
    settings = ExtractSettings(mirrored=True)
    install(monkeypatch)
    with Project.open(one_by_one) as project:
        extract(project, settings, SILENT)
    loaded = install_batches(monkeypatch)
    with Project.open(at_once) as project:
        summary = extract(project, settings, SILENT)
        assert (summary.done, summary.failed) == (80, 0)
    assert rows(at_once) == rows(one_by_one)
    assert of_mirrored(at_once) == of_mirrored(one_by_one)
    bright = loaded["bright"]
    assert bright.asked == [4 * BATCH, 4 * BATCH, 4 * 2], (
        "four units of each image, the images of a batch together"
    )
    assert bright.fitted == 20, "each picture is read once for all tasks, and mirrored once"
    assert threading.get_ident() not in bright.threads


def test_a_bad_image_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_batches(monkeypatch)
    path = study(tmp_path, 7, red=1)
    (tmp_path / "set" / "2.png").unlink()
    (tmp_path / "set" / "3.png").write_bytes(b"no picture")
    with Project.open(path) as project:
        project.db.execute(
            "UPDATE images SET sha256 = ? WHERE name = '3.png'", (_sha256(tmp_path / "set" / "3.png"),)
        )
        summary = extract(project, ExtractSettings(("bright",)), SILENT)
        assert (summary.done, summary.failed) == (8, 6)
        told = {problem.where: problem.what for problem in project.problems.all()}
        assert sum("Red corners" in what for what in told.values()) == 2
        assert len(project.problems.all()) == 6
        assert any("not where it was" in what for what in told.values())
        assert any("no picture" in what for what in told.values())


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_short_memory_fails_its_unit_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_batches(monkeypatch, Forgetful)
    path = study(tmp_path, 6)
    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(("bright",), ("general",)), SILENT)
        assert (summary.done, summary.failed) == (4, 2)
        assert {problem.what for problem in project.problems.all()} == {"There was not enough memory."}
        # What failed is tried again, what is there is not.
        loaded = install_batches(monkeypatch)
        summary = extract(project, ExtractSettings(("bright",), ("general",)), SILENT)
        assert (summary.done, summary.skipped, summary.failed) == (2, 4, 0)
        assert loaded["bright"].asked == [2]
        assert project.problems.all() == []


class StopAfter:
    """Progress that is cancelled once so many units are done."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.told: list[int] = []

    @property
    def cancelled(self) -> bool:
        return bool(self.told) and self.told[-1] >= self.units

    def report(self, done: int, total: int, message: str) -> None:
        self.told.append(done)


def test_cancelling_ends_with_the_batch_and_the_rest_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = install_batches(monkeypatch)
    path = study(tmp_path, 20)
    settings = ExtractSettings(("bright",), ("general",))
    with Project.open(path) as project:
        progress = StopAfter(BATCH + 1)
        summary = extract(project, settings, progress)
        assert summary.cancelled
        assert summary.done == 2 * BATCH, "what was computed is stored"
        assert progress.told[-1] == 2 * BATCH
        assert sorted(set(progress.told)) == list(range(2 * BATCH + 1)), "every unit is told"
        assert loaded["bright"].fitted <= 4 * BATCH, "no more than two batches are read ahead"
        summary = extract(project, settings, SILENT)
        assert (summary.done, summary.skipped) == (20 - 2 * BATCH, 2 * BATCH)
        assert len(project.runs.all()) == 20


def test_seconds_of_a_unit_are_its_share_of_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = install_batches(monkeypatch)
    path = study(tmp_path, BATCH)
    plain = extract_plan.open_model

    def slow(info: ModelInfo, wishes: object) -> BatchStandIn:
        made = plain(info, wishes)  # type: ignore[arg-type]
        made.pause_s = 0.02
        return made  # type: ignore[return-value]

    monkeypatch.setattr(extract_plan, "open_model", slow)
    with Project.open(path) as project:
        extract(project, ExtractSettings(("bright",)), SILENT)
        seconds = [run.seconds for run in project.runs.all()]
    assert loaded["bright"].asked == [2 * BATCH]
    assert len(set(seconds)) == 1
    assert 0.02 <= seconds[0] < 0.3


def test_another_program_that_was_faster_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_batches(monkeypatch)
    path = study(tmp_path, 6)

    class AnotherProgram:
        cancelled = False
        started = False

        def report(self, done: int, total: int, message: str) -> None:
            if done == 1 and not self.started:
                self.started = True
                with Project.open(path) as other:
                    extract(other, ExtractSettings(), SILENT)

    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(), AnotherProgram())
        assert summary.failed == 0
        assert len(project.runs.all()) == 24


def test_large_pictures_have_fewer_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding holds the whole picture, so those that are read side by side are limited by their pixels."""
    from gazeapp.engine.workflows.extract_ahead import ReadAhead

    path = study(tmp_path, 1)
    model = BatchStandIn(INFOS[0])
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    with Project.open(path) as project:
        (image,) = project.images.all()
        for width, readers in ((1000, 4), (4000, 4), (5000, 3), (20000, 1)):
            wide = replace(image, width=width, height=3000)
            with ReadAhead(project, model, iter(()), [image, wide]) as ahead:
                assert ahead._readers._max_workers == readers
                assert list(ahead.batches()) == []


def test_a_trial_takes_the_time_of_batches_of_pictures_that_are_new_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = install_batches(monkeypatch, Slow)
    with Project.open(study(tmp_path, 3)) as project:
        (told,) = trial(project, ExtractSettings(("bright",)), SILENT).details["models"]
        assert project.runs.all() == []
    model = loaded["bright"]
    assert isinstance(model, Slow)
    assert model.asked == [2 * BATCH], "both tasks of each image"
    assert len(model.pictures) == BATCH, "no two of them alike"
    assert 0.4 / (2 * BATCH) <= told["seconds_per_image"] < 0.4, "its share of the batch, not all of it"
    assert told["units"] == 6
    assert told["caption"] == "a Bright scene"


class Slow(BatchStandIn):
    """Takes 0.4 s for any batch, and remembers the pictures."""

    def __init__(self, info: ModelInfo, pause_s: float = 0.0) -> None:
        super().__init__(info, pause_s)
        self.pictures: set[bytes] = set()

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        time.sleep(0.4)
        self.pictures |= {one.image.picture.tobytes() for one in requests if isinstance(one.image, Fitted)}
        return super().describe_many(requests)
