"""The bar of the neural panel: it fits narrow windows, names its lists, and says where ceilings come from."""

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural import NeuralResults
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.ui.actions import Actions
from gazeapp.ui.panels import neural_bar
from gazeapp.ui.panels.neural_bar import NeuralBar
from gazeapp.ui.panels.neural_corner import NeuralCorner
from gazeapp.ui.widgets import Elided
from tests.ui.small_neural import SOURCES, findings

NARROW = 560
REGIONS = ["parahippocampal", "lateralorbitofrontal"]


def row(**changes):
    about = {
        "id": 1,
        "name": "Responses of a long name (simulated)",
        "simulated": True,
        "space": "fsaverage5",
        "n_targets": 20_484,
        "targets": (),
        "subjects": ("a", "b", "c"),
        "n_images": 12,
        "source": "",
        "ceiling_origin": "",
        "facts": {},
        "settings_id": "s",
        "created": "",
    }
    return ResponsesRow(**{**about, **changes})


@pytest.fixture
def bar(qtbot):
    from gazeapp.ui.app import make_app

    make_app()
    window = QWidget()
    qtbot.addWidget(window)
    made = NeuralBar(Actions(window))
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(made)
    window.show()
    return made


def show(bar, one=None, *, measure="difference", atlases=("desikan", "own"), atlas="own"):
    one = one or row()
    results = NeuralResults(
        one.name,
        True,
        atlas,
        sources=tuple(SourceFacts(kind, id_, "", id_, "#888888") for kind, id_ in SOURCES),
        findings=(*findings(REGIONS), *findings(REGIONS, subject="a")),
    )
    read = NeuralRead((one,), one.name, atlases, results)
    bar.show_read(read, NeuralAsked("general", "", measure, "people", region=REGIONS[0]))


def places(bar):
    return [
        box.mapTo(bar, box.rect().topLeft())
        for name, box in bar.boxes.items()
        if name not in neural_bar.WHOSE
    ]


def test_all_lists_fit_a_narrow_window_on_two_lines(bar, qtbot):
    show(bar)
    assert bar.minimumSizeHint().width() <= NARROW
    bar.window().resize(NARROW, 200)
    qtbot.waitUntil(
        lambda: len({place.y() for place in places(bar)}) == 1 and places(bar)[0].y() > bar.run.y()
    )
    ends = [box.mapTo(bar, box.rect().bottomRight()).x() for box in bar.boxes.values() if box.isVisible()]
    assert len(ends) == 3 + 1  # measure, held against, region and source
    assert max(ends) < NARROW
    assert not bar._names[neural_bar.MEASURE].isVisible()


def test_with_room_there_is_one_line_and_each_list_has_its_name(bar, qtbot):
    bar.window().resize(NARROW, 200)
    show(bar)
    bar.window().resize(1600, 200)
    qtbot.waitUntil(lambda: bar._names[neural_bar.MEASURE].isVisible())
    shown = {name: text.isVisible() for name, text in bar._names.items()}
    assert all(shown.values())
    show(bar, measure="r")
    assert not bar._names[neural_bar.AGAINST].isVisible()
    assert bar._names[neural_bar.AGAINST].buddy() is bar.boxes[neural_bar.AGAINST]


def test_the_first_button_opens_the_lists_that_there_are(bar):
    show(bar)
    assert "Atlas: own" in bar.whose.toolTip()
    assert bar.whose.text().startswith("Responses of a…")
    bar.whose.click()
    assert bar.whose.sheet.isVisible()
    seen = {name for name in neural_bar.WHOSE if bar.boxes[name].isVisible()}
    assert seen == {neural_bar.RESPONSES, neural_bar.SUBJECT, neural_bar.ATLAS, neural_bar.ROWS}
    bar.whose.sheet.close()


def test_regions_of_a_table_are_called_so(bar):
    show(bar, atlases=("table", "desikan"), atlas="table")
    assert bar.boxes[neural_bar.ATLAS].currentText() == "regions of the table"


@pytest.mark.parametrize(
    ("subjects", "origin", "said"),
    [
        (
            ("a", "b", "c"),
            "",
            "Ceilings of regions: from how alike the 3 subjects respond; of a single subject none",
        ),
        (("a", "b"), "repeats.", "from how alike the 2 subjects respond; of a single subject: repeats."),
        (("",), "repeats", "Ceiling: repeats."),
        (("a",), "", "No noise ceiling is known."),
    ],
)
def test_where_ceilings_come_from_is_said(bar, subjects, origin, said):
    show(bar, row(subjects=subjects, ceiling_origin=origin))
    assert said in " ".join(bar.boxes[neural_bar.RESPONSES].toolTip().split())


def test_regions_picked_by_hand_have_a_note(bar):
    show(bar)
    assert not bar.note.isHidden()
    assert bar.note.whole.startswith("These regions were picked by hand")


def test_a_message_is_cut_at_its_end_and_whole_in_its_tooltip(qtbot):
    line = Elided()
    qtbot.addWidget(line)
    line.show()
    said = "“fusiform of mine” is kept in the atlas “own”"
    line.resize(120, 20)
    line.say(said)
    assert line.text().endswith("…")
    assert said.startswith(line.text()[:-1])
    assert line.toolTip() == said
    line.resize(900, 20)
    assert line.text() == said
    line.resize(20, 20)
    assert line.text() == ""
    assert isinstance(NeuralCorner().said, Elided)
