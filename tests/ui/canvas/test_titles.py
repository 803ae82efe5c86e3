from __future__ import annotations

from dataclasses import replace

from gazeapp.engine.models.base import Word
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR, model_colour
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.title import Title, TitleBar
from gazeapp.ui.canvas.titles import model_title
from gazeapp.ui.colours import source_colour
from gazeapp.ui.scene import Catalogue, ImageEntry, LesionView, ModelView, Share

KEY = ("general", "tuebingen", "nss")
CATALOGUE = Catalogue(shares={KEY: {"mine": Share(-1.4, -3.0, 0.4), "truth": Share(102.0, None, None)}})
ENTRY = ImageEntry(1, "one.png", scores={KEY: {"mine": -0.16, "truth": 1.29}})


def title(word=MEAN_MAP, difference=False, *, truth=False):
    words = (Word("star", -0.1, True),)
    model = ModelView("truth" if truth else "mine", "Mine", "#123456", words=words, truth=truth)
    return model_title(model, CATALOGUE, ENTRY, KEY, word, difference)


def test_the_window_has_the_colours_of_the_report():
    models = ["own", "vit-lstm", "other"]
    for model in models:
        assert source_colour(model, models).name() == model_colour(model, models).lower()
    assert source_colour("people", models).name() == PEOPLE_COLOUR.lower()
    assert source_colour("true_density", models).name() == REFERENCE_COLOUR.lower()


def test_numbers_have_a_true_minus_and_say_what_they_are_of():
    assert title().share == "−1\N{NO-BREAK SPACE}% of ceiling"
    assert title().here == ("this image: NSS −0.16", "image −0.16")
    assert "over the study, NSS, task general (95 % interval over images and people −3 to 0 %)" in title().tip
    assert title().colour == "#123456"


def test_a_word_and_a_difference_take_the_place_of_numbers_of_other_maps():
    assert (title(0).shown, title(0).share, title(0).here) == ("word: star", "", ("", ""))
    assert title(0, True).shown == "word: star, minus people"
    assert (title(difference=True).shown, title(difference=True).share) == ("minus people", "")


def test_a_change_is_that_of_the_mean_map_whatever_word_is_chosen():
    lesion = LesionView("half of the image", frozenset(), "star", None)
    model = ModelView("mine", "Mine", "#123456", words=(Word("star", -0.1, True),), lesion=lesion)

    def shown(word, change):
        return model_title(model, CATALOGUE, ENTRY, KEY, word, False, change).shown

    assert shown(0, True) == shown(MEAN_MAP, True) == "lesioned − intact"
    assert shown(0, False) == "word: star, half of the image"


def test_a_model_that_cannot_be_under_the_lesion_says_so():
    model = ModelView("mine", "Mine", "#123456")
    made = model_title(model, CATALOGUE, ENTRY, KEY, MEAN_MAP, False, True, "Mine does not offer it.")
    assert (made.badge, made.mark) == ("intact", "I")
    assert "intact, not under the lesion: Mine does not offer it;" in made.tip
    assert made.here == title().here


def test_the_truth_is_no_contestant():
    assert (title(truth=True).share, title(truth=True).here[1]) == ("", "image 1.29")


def test_the_offset_being_given_has_the_room_of_the_numbers(qtbot):
    bar = TitleBar()
    qtbot.addWidget(bar)
    bar.resize(190, bar.height())
    numbers = Title("people", "#000000", here=("this image: NSS 1.23", "1.23"), badge="simulated")
    readout = ("8.13 × uniform, 97th percentile", "8.13 ×")

    def drawn(title, readout=()):
        bar.set_title(title)
        bar.set_readout(readout)
        return bar.grab().toImage()

    moving = replace(numbers, doing="+138, −18 px")
    assert drawn(moving, readout) == drawn(moving) == drawn(replace(moving, here=("", "")))
    assert drawn(moving) != drawn(replace(moving, doing="+138, −19 px"))
    assert drawn(numbers, readout) != drawn(numbers)
