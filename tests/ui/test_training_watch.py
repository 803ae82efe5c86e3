"""Watching several trainings: what is odd about one does not keep the others from being read."""

from pathlib import Path

import pytest

from gazeapp.ui import training_watch
from gazeapp.ui.panels.training_words import in_a_few_words, in_a_sentence
from gazeapp.ui.training_folder import RUNNING, UNREADABLE, TrainingReader
from gazeapp.ui.training_watch import _Question, _Reader
from tests.ui.test_training_folder import Fake, line


def looked_at(*roots: Path):
    answers = []
    reader = _Reader()
    reader.answered.connect(lambda _question, trainings: answers.append(trainings))
    reader.look(_Question(roots, {}))
    return {training.folder.name: training for training in answers[0]}


def test_a_folder_that_cannot_be_read_says_so_and_the_others_go_on(tmp_path):
    for name in ("a", "b"):
        fake = Fake(tmp_path / name)
        fake.status(step=20)
        fake.add(line(20))
    (tmp_path / "a" / "training" / "history.jsonl").unlink()
    (tmp_path / "a" / "training" / "history.jsonl").mkdir()
    found = looked_at(tmp_path / "a", tmp_path / "b")
    assert (found["a"].state, found["b"].state) == (UNREADABLE, RUNNING)
    assert in_a_sentence(found["a"]).startswith("This folder cannot be read: ")
    assert in_a_few_words(found["a"]) == "cannot be read"


@pytest.mark.parametrize(
    "error", [RecursionError("deep"), OverflowError("large"), PermissionError(13, "Not yours")]
)
def test_whatever_goes_wrong_with_one_is_said_in_its_line(tmp_path, monkeypatch, error):
    class Odd(TrainingReader):
        def read(self, *given):
            if self.folder.name == "a":
                raise error
            return super().read(*given)

    monkeypatch.setattr(training_watch, "TrainingReader", Odd)
    for name in ("a", "b"):
        Fake(tmp_path / "all" / name).status(step=20)
    found = looked_at(tmp_path / "all")
    assert (found["a"].state, found["b"].state) == (UNREADABLE, RUNNING)
    assert found["a"].message in ("deep", "large", "Not yours")
