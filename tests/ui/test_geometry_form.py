"""The fields of a geometry say what was given, what holds otherwise, and why one cannot be used."""

from __future__ import annotations

from dataclasses import fields

import pytest

from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.ui.dialogs.geometry_form import GeometryForm


@pytest.fixture
def form(qtbot):
    made = GeometryForm()
    qtbot.addWidget(made)
    return made


def test_every_part_of_a_geometry_has_a_field(form):
    assert set(form.fields) == {entry.name for entry in fields(Geometry)}
    said = Geometry((800, 600), "explicit", (-20, 0, 640, 480), 57.3, 30.5, 28.25)
    form.show_geometries([said], [Geometry()])
    assert form.geometry_said() == said


def test_what_is_left_open_shows_what_holds(form):
    form.show_geometries([Geometry()], [Geometry(screen=(800, 600), placement="fit", distance_cm=60)])
    assert [box.text() for box in form.fields["screen"].boxes] == [
        "w 800 px, not said here",
        "h 600 px, not said here",
    ]
    assert form.fields["distance_cm"].boxes[0].text() == "60 cm, not said here"
    assert form.fields["px_per_deg"].boxes[0].text() == "not said"
    assert form.fields["placement"].currentText().startswith("Not said here: as large as fits")
    assert form.geometry_said() == Geometry()


def test_recordings_that_differ_say_so_and_can_be_left_open(form, qtbot):
    form.show_geometries([Geometry(distance_cm=60), Geometry(distance_cm=70)], [Geometry(), Geometry()])
    assert form.fields["distance_cm"].boxes[0].text() == "differs"
    form.allow({}, said=["distance_cm"])
    with qtbot.waitSignal(form.edited) as heard:
        form.lines["distance_cm"].button.click()
    assert heard.args == ["distance_cm"]
    assert not form.lines["screen"].button.isEnabled()


def test_a_place_counts_once_it_has_a_size_and_goes_with_its_placement(form):
    form.show_geometries([Geometry(screen=(800, 600))], [Geometry()])
    placement, rect = form.fields["placement"], form.fields["rect"]
    placement.setCurrentIndex(placement.findData("explicit"))
    form.allow({})
    assert rect.isEnabled()
    rect.boxes[2].setValue(640)
    assert form.geometry_said() == Geometry(screen=(800, 600))
    rect.boxes[3].setValue(480)
    assert form.geometry_said() == Geometry((800, 600), "explicit", (0, 0, 640, 480))
    form.leave_open("rect")
    assert form.geometry_said() == Geometry(screen=(800, 600))
    assert placement.value == ""


def test_a_field_that_cannot_matter_says_why_and_passes_the_focus_on(form, qtbot):
    with qtbot.waitExposed(form):
        form.show()
    form.setFocus()
    form.allow({"screen": "Not of this file.", "placement": "Not of this file."})
    assert form.focusWidget() is form.fields["distance_cm"].boxes[0]
    assert not form.fields["screen"].isEnabled()
    assert "Not of this file." in form.fields["screen"].toolTip()
    assert "place that you give" in form.fields["rect"].toolTip()
    assert form.fields["distance_cm"].isEnabled()
