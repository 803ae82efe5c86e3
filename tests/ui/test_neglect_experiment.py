"""The page of the experiment: numbers are those of the findings, dots are the images, states are told."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QThread
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from gazeapp.engine.project import Project
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, LESION_FACTORIAL
from gazeapp.ui.actions import Actions
from gazeapp.ui.lesion_jobs import TITLE
from gazeapp.ui.panels import neglect_experiment
from gazeapp.ui.panels.neglect import EXPERIMENT
from gazeapp.ui.panels.neglect_bar import choices_of_masks
from gazeapp.ui.panels.neglect_experiment import ExperimentPage
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobState
from tests.copied import copy_study
from tests.ui.small_lesions import CONTROL, SIDES, SIZE, cost, put_lesions
from tests.ui.small_study import build

N = 8
LOSS = "log_probability_drop"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A study with lesions that have been summed up."""
    made = build(tmp_path_factory.mktemp("lesions") / "study", images=N, subjects=2, scored=False)
    with Project.open(made.path) as project:
        put_lesions(project)
    return made


@pytest.fixture
def study(tmp_path, built):
    return replace(built, path=copy_study(built.path, tmp_path / "study"))


@pytest.fixture
def session(qtbot, study):
    """The study, open without a window."""
    from gazeapp.ui.app import make_app
    from gazeapp.ui.notifications import Notifications

    made = Session(Notifications(make_app()))
    with qtbot.waitSignal(made.refreshed):
        made.open(study.path)
    yield made
    made.stop()


@pytest.fixture
def page(session, qtbot):
    """The page in sight, with what the study's experiment showed."""
    window = QWidget()
    qtbot.addWidget(window)
    made = ExperimentPage(Selection(window), session, Actions(window))
    qtbot.addWidget(made)
    made._selection.update(task="general", image_id=next(iter(session.study.images)))
    session.refreshed.connect(made.show_study)
    made.resize(1100, 500)
    made.show()
    made.show_study(session.study)
    qtbot.waitUntil(lambda: made.lesions is not None)
    return made


def findings(path, analysis):
    with Project.open(path) as project:
        return [row.finding for row in project.findings.findings(analysis)]


def choose(box, value):
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def rows(page):
    """Name of a row -> the numbers of its cells by column."""
    table = page.table.results.table
    ids = [column.id for column in table.columns]
    return {row.name: dict(zip(ids, [cell.value for cell in row.cells], strict=True)) for row in table.rows}


def test_numbers_are_those_that_were_planted(page):
    shown = rows(page)
    assert len(shown) == 2 * len(SIZE)
    for model, size in SIZE.items():
        for mask, share in SIDES.items():
            name = f"{page.lesions.name(model)} · {mask}"
            assert shown[name]["lesion"] == pytest.approx(size * share)
            assert shown[name]["random"] == pytest.approx(CONTROL)
            assert shown[name]["difference"] == pytest.approx(size * share - CONTROL)
            assert shown[name]["n_images"] == N


def test_every_number_of_the_table_is_a_finding_with_its_p(page, study):
    own = {
        (one.term, one.lesion): one
        for one in findings(study.path, LESION_CONTROL)
        if one.metric == LOSS and one.against == "controls"
    }
    for model in SIZE:
        one = own[model, "right · keys · 1"]
        row = rows(page)[f"{page.lesions.name(model)} · right"]
        assert (row["difference"], row["p"], row["p_holm"]) == (one.estimate, one.p, one.p_holm)


def test_the_figure_has_a_dot_for_each_image_and_marks_at_the_means(page):
    beside, net = page.figure.figure.axes
    dots = [one for one in beside.series if one.small]
    assert len(dots) == 2 * len(SIZE)
    assert [len(one.y) for one in dots] == [N] * len(dots)
    np.testing.assert_allclose(np.sort(dots[0].y), np.sort(cost("cnn-lstm", "left", "", 1.0, N)))
    filled = [one.y[0] for one in beside.series if not one.small and not one.hollow and len(one.y)]
    np.testing.assert_allclose(sorted(filled), sorted(a * b for a in SIZE.values() for b in SIDES.values()))
    assert [one.y[0] for one in beside.series if one.hollow and len(one.y)] == pytest.approx(
        [CONTROL] * len(dots)
    )
    differences = [one.y[0] for one in net.series if not one.small]
    np.testing.assert_allclose(sorted(differences), np.array(sorted(filled)) - CONTROL)


def test_marks_of_a_row_do_not_lie_on_each_other(page, qtbot):
    page.resize(640, 300)
    plot = page.figure.plots[0]
    rows = len(plot.axes.x_ticks)
    marks = 2  # the lesion and one control
    qtbot.waitUntil(lambda: plot.height() >= 14 * marks * rows)


def test_titles_of_plots_are_cut_with_dots(page, qtbot):
    page.show_view("dose")
    page.resize(1900, 500)
    titles = [title for _, title in page.figure._pool]
    qtbot.waitUntil(lambda: titles[0].text() == titles[0].accessibleName())
    page.resize(640, 500)
    qtbot.waitUntil(lambda: titles[0].text().endswith("…"))
    metrics = titles[0].fontMetrics()
    qtbot.waitUntil(lambda: metrics.horizontalAdvance(titles[0].text()) <= titles[0].width(), timeout=5000)


def test_the_image_in_hand_is_framed_and_not_joined(page, study):
    page.figure.mark_image(study.images[3])
    plot = page.figure.plots[0]
    frames = sorted(spot.pos().x() for spot in plot._ring.points())
    planted = [cost(model, mask, "", 1.0, N)[3] for model in SIZE for mask in SIDES]
    np.testing.assert_allclose(frames, sorted(planted))
    assert plot._path.getData()[0] is None or not len(plot._path.getData()[0])
    assert plot._ring.opts["symbol"] == "s"


def test_a_click_on_a_dot_goes_to_its_image(page, session, study):
    axes = page.figure.figure.axes[0]
    series = next(one for one in axes.series if one.small)
    worst = int(np.argmax(series.y))
    plot = page.figure.plots[0]
    item = plot.points[0]
    spot = next(one for one in item.points() if one.data()[1] == worst)
    item.sigClicked.emit(item, [spot], None)
    assert page._selection.image_id == study.images[worst]
    assert page._selection.source == series.keys[worst][1] == "cnn-lstm"
    assert "Click to go to the image" in series.texts[worst]


def test_other_choices_show_other_findings_and_are_remembered(page, qtbot):
    choose(page.bar.strength, 0.5)
    name = f"{page.lesions.name('vit-lstm')} · right"
    assert rows(page)[name]["lesion"] == pytest.approx(0.5 * SIZE["vit-lstm"] * SIDES["right"])
    choose(page.bar.against, "")
    assert set(rows(page)[name]) & {"difference", "random"} == set()
    assert len(page.figure.figure.axes) == 1
    choose(page.bar.outcome, "words_changed")
    assert rows(page)[name]["lesion"] == pytest.approx(0.05 * SIZE["vit-lstm"] * SIDES["right"])
    choose(page.bar.masks, "left")
    assert list(rows(page)) == [f"{page.lesions.name(model)} · left" for model in SIZE]
    asked = page.bar.asked
    page.bar.show_lesions(None, "general")
    page.bar.show_lesions(page.lesions, "general")
    assert page.bar.asked == asked


def test_strengths_are_those_of_the_masks_that_are_chosen(page, session, study, qtbot):
    with Project.open(study.path) as project:
        project.db.execute("DELETE FROM lesion_runs WHERE mask = 'right' AND strength = 0.5")
        project.db.conn.commit()
    before = page.lesions
    session.refresh()
    qtbot.waitUntil(lambda: page.lesions is not before)

    def strengths(mask):
        choose(page.bar.masks, mask)
        return [page.bar.strength.itemData(k) for k in range(page.bar.strength.count())]

    assert strengths("left") == [1.0, 0.5]
    assert strengths("right") == strengths("left\nright") == [1.0]


def test_everything_is_in_reach_in_the_narrowest_window(page, qtbot):
    for box in (page.bar.outcome, page.bar.masks, page.bar.scope, page.bar.strength, page.bar.against):
        box.setItemText(box.currentIndex(), "the longest name that anybody may give to a mask of theirs")
        box.show()
    page.bar.older.show()
    for view in ("models", "dose", "sides", "design"):
        page.show_view(view)
        assert page.minimumSizeHint().width() <= 640
    page.resize(700, 400)
    qtbot.waitUntil(lambda: page.bar.width() == 700)
    for part in (page.bar.run, page.bar.take, page.bar.against):
        assert page.bar.rect().contains(part.geometry())
    assert page.bar.take.geometry().left() >= page.bar.run.geometry().right()


def test_the_masks_that_were_run_come_into_sight(page, session, study, qtbot):
    page.go_to(("right",))
    assert page.bar.asked.masks == ("right",)
    page.go_to(("right", "left"))
    assert page.bar.asked.masks == ("left", "right")
    with Project.open(study.path) as project:
        project.db.execute("UPDATE lesion_runs SET mask = 'drawn' WHERE mask = 'right'")
        project.db.conn.commit()
    page.go_to(("drawn",))  # of which nothing was read yet
    assert page.bar.asked.masks == ("left", "right")
    session.refresh()
    qtbot.waitUntil(lambda: page.bar.asked.masks == ("drawn",))
    page.go_to(("to come",))
    choose(page.bar.masks, "left")
    assert page._to_show == ()


def test_what_is_in_sight_is_made_anew_off_the_gui_thread(page, session, study, qtbot, monkeypatch):
    threads = []

    def figure_of(lesions, asked, made=page.view.figure):
        threads.append(QThread.currentThread())
        return made(lesions, asked)

    watched = replace(page.view, figure=figure_of)
    monkeypatch.setattr(neglect_experiment, "VIEWS", (watched, *neglect_experiment.VIEWS[1:]))
    with Project.open(study.path) as project:
        project.db.execute(
            "UPDATE lesion_runs SET outcomes = json_set(outcomes, '$.log_probability_drop', 3.0)"
        )
        project.db.conn.commit()
    before = page.lesions
    session.refresh()
    qtbot.waitUntil(lambda: page.lesions is not before)
    assert len(threads) == 1
    assert threads[0] is not page.thread()
    dots = next(one for one in page.figure.figure.axes[0].series if one.small)
    np.testing.assert_allclose(dots.y, 3.0)
    page.show_view("dose")
    page.show_view("models")  # what was made is kept
    assert len(threads) == 1


def test_what_was_asked_for_and_is_no_more_is_not_made(page, session, study, qtbot):
    choose(page.bar.masks, "right")
    with Project.open(study.path) as project:
        project.db.execute("DELETE FROM lesion_runs WHERE mask = 'right'")
        project.db.conn.commit()
    before = page.lesions
    session.refresh()
    qtbot.waitUntil(lambda: page.lesions is not before)
    assert page.bar.asked.masks == ("left",)
    assert list(rows(page)) == [f"{page.lesions.name(model)} · left" for model in SIZE]


def test_outcomes_begin_with_impairments(page):
    names = [page.bar.outcome.itemData(k) for k in range(page.bar.outcome.count())]
    assert names == [LOSS, "words_changed", "laterality_shift"]


def test_dose_and_response(page):
    page.show_view("dose")
    left, right = page.figure.figure.axes
    solid = {one.name: one for one in left.series if one.name in map(page.lesions.name, SIZE)}
    for model, size in SIZE.items():
        line = solid[page.lesions.name(model)]
        np.testing.assert_allclose(line.y, [0.0, 0.5 * size, size])
        np.testing.assert_allclose(line.x, [0.0, 0.5, 1.0], atol=0.05)
    dashed = [one for one in right.series if one.dashed and len(one.y)]
    assert len(dashed) == len(SIZE)
    np.testing.assert_allclose(dashed[0].y, [0.0, CONTROL / 2, CONTROL])
    row = rows(page)[f"{page.lesions.name('cnn-lstm')} · left"]
    assert (row["rise"], row["difference"]) == (pytest.approx(2.0), pytest.approx(1.8))


def test_left_against_right(page):
    page.show_view("sides")
    scatter, difference = page.figure.figure.axes
    points = next(one for one in scatter.series if one.name == page.lesions.name("vit-lstm"))
    np.testing.assert_allclose(points.x, cost("vit-lstm", "left", "", 1.0, N))
    np.testing.assert_allclose(points.y, cost("vit-lstm", "right", "", 1.0, N))
    assert [one.y[0] for one in difference.series] == pytest.approx([size / 2 for size in SIZE.values()])
    assert "more under the left than under the right" in page.sentence.text()


def test_the_contrast_of_decoders_is_told_in_a_sentence(page, study):
    page.show_view("design")
    # LSTM decoders lose (2.0 + 1.6) / 2, Transformer decoders (1.0 + 0.8) / 2.
    one = next(
        one
        for one in findings(study.path, LESION_FACTORIAL)
        if (one.metric, one.term, one.lesion) == (LOSS, "decoder:lesion", "left · keys · 1")
    )
    assert one.estimate == pytest.approx(-0.9)
    said = page.sentence.text()
    assert "Under the left lesion, captions of LSTM decoders lose 0.90 nats per token more" in said
    assert f"{N}\u00a0images" in said
    assert "24\u00a0tests" not in said
    assert "12\u00a0tests" in said  # three effects, two masks, two strengths
    raw, net = page.figure.figure.axes[:2]
    cells = {one.name: one.y for one in raw.series}
    np.testing.assert_allclose(cells["CNN encoder"], [2.0, 1.0])
    np.testing.assert_allclose(next(one.y for one in net.series if "ViT" in one.name), [1.4, 0.6])


def test_a_view_says_what_it_needs(page):
    choose(page.bar.outcome, "laterality_shift")
    page.show_view("design")
    assert not page.table.isVisible()
    assert "an outcome that is an impairment" in page._lacks.text()
    assert not page.bar.take.isEnabled()


def test_the_table_is_copied_with_tabs_at_full_precision(page):
    page.taking.copy_table()
    head, *lines = QGuiApplication.clipboard().text().splitlines()
    assert head.split("\t")[:2] == ["Model · mask", "Difference, nats per token"]
    assert len(lines) == 2 * len(SIZE)
    assert float(lines[0].split("\t")[1]) == pytest.approx(1.8)


def test_figures_are_written(page, tmp_path, qtbot):
    for view in ("models", "dose"):
        page.show_view(view)
        with qtbot.waitSignal(page.taking.said):
            page.taking.save_figure(tmp_path / f"{view}.svg")
        assert (tmp_path / f"{view}.svg").stat().st_size > 10_000


def test_lesions_that_were_not_summed_up_and_masks_drawn_anew_are_told(page, session, study, qtbot):
    assert not page.bar.older.isVisible()
    assert not page.status.isVisible()
    with Project.open(study.path) as project:
        project.db.execute("DELETE FROM lesion_runs WHERE mask = 'right' AND id % 2 = 0")
        project.db.conn.commit()
        project.masks.put("left", study.images[0], np.zeros((96, 160), np.uint8))
    before = page.lesions
    session.refresh()
    qtbot.waitUntil(lambda: page.lesions is not before)
    assert page.bar.older.isVisible()
    assert "Means and tests are older than the lesions" in page.status.text()
    assert "“left” was drawn anew" in page.status.text()


def test_while_an_experiment_runs_its_progress_is_told(page, session, study):
    runner = session.runner
    state = JobState(999, f"{TITLE}, CNN-LSTM", study.path, "running", 30, 120, "", 10.0, 30.0)
    runner._put(state)
    assert "30 of 120 lesions, 30 s left" in page.status.text()
    runner._put(replace(state, status="done"))
    assert not page.status.isVisible()


def test_results_of_an_experiment_that_runs_are_dots_without_means(page, session, qtbot, study):
    with Project.open(study.path) as project:
        project.db.execute("DELETE FROM findings")
        project.db.conn.commit()
    before = page.lesions
    session.refresh()
    qtbot.waitUntil(lambda: page.lesions is not before)
    series = page.figure.figure.axes[0].series
    assert [one.small for one in series if len(one.y)] == [True] * (2 * len(SIZE))


def test_a_study_without_lesions_says_what_an_experiment_is(window, qtbot, tmp_path, built_study):
    path = copy_study(built_study.path, tmp_path / "plain")
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(path)
    window.actions_["view.neglect"].trigger()
    window.bench.neglect.show_page(EXPERIMENT)
    page = window.bench.neglect.experiment
    qtbot.waitUntil(lambda: page.lesions is not None)
    assert page.empty.isVisible()
    assert not page.bar.isVisible()


def test_until_the_study_was_read_nobody_is_told_that_there_is_no_experiment(window, qtbot, study):
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(study.path)
    window.actions_["view.neglect"].trigger()
    window.bench.neglect.show_page(EXPERIMENT)
    page = window.bench.neglect.experiment
    assert page.lesions is None
    assert page.waiting.isVisible()
    assert not page.empty.isVisible()
    qtbot.waitUntil(lambda: page.lesions is not None)
    assert page.bar.isVisible()


def test_findings_of_the_lesion_itself_are_those_of_the_table_without_controls(page, study):
    choose(page.bar.against, "")
    own = {
        one.term: one
        for one in findings(study.path, LESION)
        if (one.metric, one.lesion, one.against) == (LOSS, "left · keys · 1", "")
    }
    for model, one in own.items():
        assert rows(page)[f"{page.lesions.name(model)} · left"]["p_holm"] == one.p_holm


@pytest.mark.parametrize(
    ("masks", "shown"),
    [
        (["left"], ["left"]),
        (["left", "right"], ["left and right", "left", "right"]),
        (["drawn", "left", "right"], ["all 3 masks", "left and right", "drawn", "left", "right"]),
        # Many at once cannot be told apart: sides come in pairs, others alone.
        (
            ["a", "b", "c", "left 30%", "right 30%"],
            ["left 30% and right 30%", "a", "b", "c", "left 30%", "right 30%"],
        ),
    ],
)
def test_masks_are_shown_together_while_they_can_be_told_apart(masks, shown):
    assert list(choices_of_masks(masks).values()) == shown


def test_a_choice_that_makes_no_difference_says_why(page):
    assert page.bar.strength.isEnabled()
    page.show_view("dose")
    assert not page.bar.strength.isEnabled()
    assert page.bar.strength.toolTip() == "All strengths are shown here."
    assert f"{N} images" in page.bar.facts.text()
    assert "attention keys" in page.bar.facts.text()
