"""The fields of the choices say what was chosen, and nothing that was only shown."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.ui.dialogs.choices_form import ChoicesForm


@pytest.fixture
def form(qtbot):
    made = ChoicesForm()
    qtbot.addWidget(made)
    return made


def test_every_choice_has_a_field(form):
    assert set(form.fields) == set(asdict(GazeChoices()))
    other = GazeChoices("right", "drop", 60, 1200, "clamp", "duration", 1.5, "deg")
    form.show_choices(other)
    assert form.choices() == other
    assert form.fields["sigma"].text() == "1.5"
    assert form.fields["max_duration_ms"].text() == "1200 ms"


def test_showing_choices_does_not_round_them(form):
    exact = GazeChoices(sigma=1 / 3, sigma_unit="deg", min_duration_ms=62.00004)
    form.show_choices(exact)
    assert form.choices() == exact
    form.fields["sigma"].setValue(0.5)
    assert form.choices() == GazeChoices(sigma=0.5, sigma_unit="deg", min_duration_ms=62.00004)


def test_a_choice_is_reset_while_the_bounds_cross(form, qtbot):
    form.show_choices(GazeChoices(first_fixation="drop", max_duration_ms=100))
    form.fields["min_duration_ms"].setValue(500)
    with pytest.raises(GazeError, match="above the maximum"):
        form.choices()
    with qtbot.waitSignal(form.edited):
        form.lines["min_duration_ms"].button.click()
    assert form.choices() == GazeChoices(first_fixation="drop", max_duration_ms=100)
    assert not form.lines["min_duration_ms"].button.isEnabled()
    assert form.lines["max_duration_ms"].button.isEnabled()


def test_a_blur_is_reset_with_its_unit(form):
    form.show_choices(GazeChoices(sigma=1, sigma_unit="deg"))
    form.lines["sigma"].button.click()
    assert form.choices() == GazeChoices()


def test_another_unit_brings_its_own_blur(form):
    def choose(unit):
        box = form.fields["sigma_unit"]
        box.setCurrentIndex(box.findData(unit))
        box.activated.emit(box.currentIndex())

    form.fields["sigma"].setValue(30)
    choose("deg")
    assert form.choices() == GazeChoices(sigma=1.0, sigma_unit="deg")
    form.fields["sigma"].setValue(0.7)
    choose("px")
    assert form.choices() == GazeChoices(sigma=30)
    choose("deg")
    assert form.choices().sigma == 0.7
    form.lines["sigma"].button.click()
    choose("deg")
    assert form.choices().sigma == 0.7
    form.show_choices(GazeChoices(sigma=2.0, sigma_unit="deg"))
    choose("px")
    assert form.choices() == GazeChoices()
