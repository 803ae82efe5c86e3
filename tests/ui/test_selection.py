"""One state, one signal."""

import pytest

from gazeapp.ui.selection import Selection


@pytest.fixture
def seen():
    return []


@pytest.fixture
def selection(seen):
    made = Selection()
    made.changed.connect(seen.append)
    return made


def test_one_signal_names_all_that_changed(selection, seen):
    selection.update(image_id=3, task="social", opacity=0.25)
    assert seen == [frozenset({"image_id", "task", "opacity"})]
    assert (selection.image_id, selection.task, selection.display.opacity) == (3, "social", 0.25)


def test_writing_back_what_is_there_says_nothing(selection, seen):
    selection.update(image_id=3)
    selection.image_id = 3
    selection.update(image_id=3, opacity=selection.display.opacity)
    assert len(seen) == 1


@pytest.mark.parametrize("change", [{"image_id": 9}, {"task": "social"}, {"source": "people"}])
def test_a_word_belongs_to_one_caption(selection, change):
    selection.update(image_id=1, task="general", source="cnn-lstm", word=4)
    selection.update(**change)
    assert selection.word == -1


def test_a_word_can_be_chosen_together_with_its_caption(selection, seen):
    selection.update(source="vit-lstm", word=2)
    assert selection.word == 2
    assert seen == [frozenset({"source", "word"})]


def test_a_bad_value_changes_nothing(selection, seen):
    with pytest.raises(ValueError, match="opacity"):
        selection.update(image_id=5, opacity=1.5)
    with pytest.raises(ValueError, match="zoom"):
        selection.update(image_id=5, zoom=2)
    assert selection.image_id is None
    assert seen == []
