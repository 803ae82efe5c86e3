"""What the presets and a user's own patterns make of the messages of experiments."""

from __future__ import annotations

import math

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import Placement
from gazeapp.engine.gaze.trial_rules import (
    PRESETS,
    Finder,
    PreviewRow,
    TrialRules,
    is_onset,
    preset_of,
    preview,
    variable_in,
)


def finder(preset):
    return Finder(TrialRules(preset), PRESETS[preset])


STARTS = [
    ("experiment-builder", "TRIALID 12", "12"),
    ("experiment-builder", "TRIALID: practice", "practice"),
    ("opensesame", "start_trial 0", "0"),
    ("psychopy", "TRIALID 4", "4"),
    ("psychopy", "trial 3 start", "3"),
    ("psychopy", "Trial_3_onset", "3"),
    ("psychopy", "trial_start 7", "7"),
    ("psychopy", "start of trial 9", "9"),
    ("psychtoolbox", "TRIALID 4", "4"),
    ("psychtoolbox", "Trial_3", "3"),
    ("psychtoolbox", "TRIAL 11", "11"),
    ("psychtoolbox", "BEGIN TRIAL 2", "2"),
    ("psychtoolbox", "Trial_Start 5", "5"),
]
NO_STARTS = [
    ("experiment-builder", "TRIAL_RESULT 0"),
    ("experiment-builder", "start_trial 1"),
    ("opensesame", "TRIALID 1"),
    ("psychopy", "TRIAL 1 ITEM 902 WORD 1 La RIGHT_BOUNDARY 147"),
    ("psychopy", "!V TRIAL_VAR start 5"),
    ("psychtoolbox", "TRIAL 1 ITEM 902"),
    ("psychtoolbox", "TRIAL OK"),
    ("blocks", "TRIALID 1"),
]
ENDS = [
    ("experiment-builder", "TRIAL_RESULT 0"),
    ("opensesame", "stop_trial"),
    ("opensesame", "end_trial 3"),
    ("psychopy", "trial 3 end"),
    ("psychopy", "trial_end"),
    ("psychopy", "end of trial 3"),
    ("psychtoolbox", "TRIAL OK"),
    ("psychtoolbox", "TRIAL_RESULT 0"),
    ("psychtoolbox", "END TRIAL"),
]
IMAGES = [
    ("experiment-builder", "!V IMGLOAD FILL images/a b.png", "images/a b.png"),
    ("experiment-builder", "!V IMGLOAD CENTER a.png 512 384", "a.png"),
    ("psychopy", "stim_onset face01.png", "face01.png"),
    ("psychopy", "image: my photo.jpg", "my photo.jpg"),
    ("psychopy", "Image_file = 'x.tif'", "x.tif"),
    ("psychtoolbox", "STIM_ONSET scene_12", "scene_12"),
    ("psychtoolbox", "STIMULUS beach.jpg", "beach.jpg"),
]
NO_IMAGES = [
    ("experiment-builder", "STIM_ONSET scene_12"),
    ("psychopy", "image_onset"),
    ("psychopy", "image onset 3"),
    ("psychopy", "stimulus presented"),
    ("psychopy", "stimulus is a red dot on the left"),
    ("psychtoolbox", "stim_on screen"),
    ("psychtoolbox", "!V IAREA FILE aoi/IA_1.ias"),
]


@pytest.mark.parametrize(("preset", "text", "label"), STARTS)
def test_messages_that_begin_a_trial(preset, text, label):
    assert finder(preset).start(text) == label


@pytest.mark.parametrize(("preset", "text"), NO_STARTS)
def test_messages_that_begin_none(preset, text):
    assert finder(preset).start(text) is None


@pytest.mark.parametrize(("preset", "text"), ENDS)
def test_messages_that_end_a_trial(preset, text):
    assert finder(preset).is_end(text)
    assert finder(preset).start(text) is None


@pytest.mark.parametrize(("preset", "text", "name"), IMAGES)
def test_messages_that_name_an_image(preset, text, name):
    assert finder(preset).image(text).name == name


@pytest.mark.parametrize(("preset", "text"), NO_IMAGES)
def test_messages_that_name_none(preset, text):
    assert finder(preset).image(text) is None


@pytest.mark.parametrize(
    ("text", "placement"),
    [
        ("!V IMGLOAD FILL a.png", Placement("fill")),
        ("!V IMGLOAD TOP_LEFT a.png 10 20", Placement("top_left", 10, 20)),
        ("!V IMGLOAD CENTER a b 2.png 512.5 384 640 480", Placement("center", 512.5, 384, 640, 480)),
        ("!v imgload center a.png", Placement("center")),
    ],
)
def test_where_an_image_lay(text, placement):
    found = finder("experiment-builder").image(text).placement
    for name in ("x", "y", "width", "height"):
        assert getattr(found, name) == pytest.approx(getattr(placement, name), nan_ok=True)
    assert found.anchor == placement.anchor


def test_a_number_at_the_end_of_a_name_without_spaces_is_part_of_the_name():
    found = finder("experiment-builder").image("!V IMGLOAD CENTER photo 7 512 384")
    assert found.name == "photo 7"
    assert math.isnan(found.placement.width)


def test_variables_of_both_spellings():
    assert variable_in("!V TRIAL_VAR Image  a b.png") == ("image", "a b.png")
    assert variable_in('var image_file "x.png"') == ("image_file", "x.png")
    assert variable_in("variance 3 4") is None


@pytest.mark.parametrize("text", ["SYNCTIME", "DISPLAY ON", "STIM_ONSET a.png", "image_onset", "Stimulus on"])
def test_onsets(text):
    assert is_onset(text)


@pytest.mark.parametrize("text", ["BLANK_SCREEN", "image_offset", "stimulus_online", "image: a.png"])
def test_no_onsets(text):
    assert not is_onset(text)


@pytest.mark.parametrize(
    ("messages", "preset"),
    [
        (["TRIALID 1", "!V IMGLOAD FILL a.png", "TRIAL_RESULT 0"], "experiment-builder"),
        (["TRIALID 1", "start_trial 1"], "experiment-builder"),
        (["start_trial 1", "var image a.png"], "opensesame"),
        (["TRIALID 1", "stim_onset a.png"], "psychopy"),
        (["trial 1 start", "image: a.png"], "psychopy"),
        (["Trial_1", "SYNCTIME"], "psychtoolbox"),
        (["RECCFG CR 1000 2 1 L"], "blocks"),
        ([], "blocks"),
    ],
)
def test_auto_takes_the_first_preset_with_trials_and_images(messages, preset):
    assert preset_of(messages, TrialRules()) == preset


def test_the_preview_says_what_each_message_is():
    messages = ["TRIALID 3", "!V TRIAL_VAR image a.png", "SYNCTIME", "TRIAL_RESULT 0", "TRIALID 4"]
    assert preview(messages, TrialRules(), limit=4) == [
        PreviewRow("TRIALID 3", "start", "3", ""),
        PreviewRow("!V TRIAL_VAR image a.png", "image", "a.png", "a.png"),
        PreviewRow("SYNCTIME", "other", "", ""),
        PreviewRow("TRIAL_RESULT 0", "end", "", ""),
    ]


def test_one_message_may_begin_a_trial_and_name_its_image():
    rules = TrialRules(start=r"Go (\d+)", image=r"show (\S+)")
    assert preview(["Go 7 show tree.png"], rules) == [
        PreviewRow("Go 7 show tree.png", "start", "7", "tree.png")
    ]
    # Without a part in parentheses the label is the message, the image what the pattern finds.
    rules = TrialRules(start="Go", image=r"\w+\.png")
    assert preview(["Go 7 tree.png"], rules)[0] == PreviewRow(
        "Go 7 tree.png", "start", "Go 7 tree.png", "tree.png"
    )


def test_an_own_start_takes_the_ends_of_a_chosen_preset_only():
    messages = ["Go 1", "TRIAL_RESULT 0"]
    assert [row.role for row in preview(messages, TrialRules(start="Go"))] == ["start", "other"]
    chosen = TrialRules("experiment-builder", start="Go")
    assert [row.role for row in preview(messages, chosen)] == ["start", "end"]


@pytest.mark.parametrize(
    "rules",
    [
        TrialRules(start="nowhere"),
        TrialRules(end="nowhere"),
        TrialRules(image="nowhere"),
        TrialRules("opensesame"),
    ],
)
def test_rules_that_fit_nothing_show_messages_that_may_be_meant(rules):
    messages = [*(f"GAZE {k}" for k in range(50)), "Begin trial number 8", *(f"GAZE {k}" for k in range(50))]
    with pytest.raises(GazeError, match="No message") as caught:
        preview(messages, rules)
    assert "Begin trial number 8" in caught.value.todo


def test_an_unknown_preset_is_refused():
    with pytest.raises(GazeError, match="no preset 'eprime'") as caught:
        preview([], TrialRules("eprime"))
    assert "opensesame" in caught.value.todo
