import io

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.reports import pictures
from gazeapp.engine.reports.style import PEOPLE_COLOUR, model_colour
from gazeapp.engine.types import Rect

WHOLE = Rect.of_image(200, 100)
GREY = np.full((50, 100, 3), 128, np.uint8)


def test_a_uniform_map_is_1_everywhere():
    values = pictures.times_uniform(np.full((7, 7), 1 / 49, np.float32), WHOLE, WHOLE, 50, 100)
    np.testing.assert_allclose(values, 1, rtol=1e-6)


def test_a_map_over_the_left_half_is_twice_uniform_there_and_0_elsewhere():
    left = Rect(0, 0, 100, 100)
    values = pictures.times_uniform(np.full((4, 4), 1 / 16, np.float32), left, WHOLE, 50, 100)
    np.testing.assert_allclose(values[:, :50], 2, rtol=1e-6)
    assert not values[:, 50:].any()


def test_the_scale_is_shared_and_reaches_the_highest_percentile_of_all_maps():
    low, high = np.ones((50, 100), np.float32), np.full((50, 100), 6, np.float32)
    assert pictures.shared_scale([low, high]) == pytest.approx(6)
    assert pictures.shared_scale([np.zeros((5, 5), np.float32)]) == 1


def test_nothing_is_laid_over_where_the_map_is_0_and_the_end_of_the_scale_is_the_last_colour():
    values = np.zeros((50, 100), np.float32)
    values[:, 50:] = 9
    mixed = pictures.overlay(GREY, values, high=9, opacity=1)
    np.testing.assert_array_equal(mixed[:, :50], GREY[:, :50])
    np.testing.assert_array_equal(mixed[0, 99], pictures.colour_table()[255])


def test_the_colour_map_is_viridis():
    np.testing.assert_array_equal(pictures.colour_table()[[0, 255]], [[68, 1, 84], [253, 231, 37]])
    assert pictures.gradient().startswith("#440154, ")
    assert pictures.gradient().endswith("#fde725")


def test_colours_go_with_the_square_root_of_the_value():
    assert float(pictures.scale_position(1, 4)) == pytest.approx(0.5)
    assert float(pictures.scale_position(9, 4)) == 1


def test_a_fixation_is_drawn_where_it_was():
    picture = np.full((200, 400, 3), 128, np.uint8)
    drawn = pictures.with_fixations(picture, np.array([150.0]), np.array([25.0]), WHOLE)
    changed = np.argwhere((drawn != picture).any(axis=2))
    np.testing.assert_allclose(changed.mean(axis=0) + 0.5, [50, 300], atol=0.6)
    assert "#{:02X}{:02X}{:02X}".format(*drawn[50, 300]) == PEOPLE_COLOUR


@pytest.mark.parametrize(
    ("size", "shown"), [((64, 32), (320, 160)), ((900, 1800), (160, 320)), ((320, 200), (320, 200))]
)
def test_pictures_are_brought_to_one_size(tmp_path, size, shown):
    file = tmp_path / "a.png"
    Image.new("RGB", size, (10, 200, 30)).save(file)
    pixels = pictures.thumbnail(file, 320)
    assert pixels.shape == (shown[1], shown[0], 3)
    np.testing.assert_array_equal(pixels[5, 5], [10, 200, 30])


def test_the_gallery_has_jpegs():
    with Image.open(io.BytesIO(pictures.jpeg(GREY))) as image:
        assert image.format == "JPEG"
        assert image.size == (100, 50)


def test_each_model_keeps_a_colour_of_its_own():
    models = ["a", "b", "c", "d"]
    colours = [model_colour(model, models) for model in models]
    assert len({*colours, PEOPLE_COLOUR}) == 5


def test_many_models_have_colours_of_their_own_and_none_is_grey():
    models = ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer", *"abcdef"]
    colours = [model_colour(model, models) for model in models]
    assert len({*colours, PEOPLE_COLOUR}) == 11
    for colour in colours:
        channels = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert max(channels) - min(channels) > 60


def test_the_captioners_that_ship_look_the_same_in_every_study():
    alone = model_colour("vit-transformer", ["vit-transformer"])
    crowd = ["mine", "vit-transformer", "cnn-lstm", "vit-lstm", "cnn-transformer", "yours"]
    assert model_colour("vit-transformer", crowd) == alone
    assert len({model_colour(model, crowd) for model in crowd}) == len(crowd)
    assert model_colour("mine", ["mine"]) == model_colour("mine", crowd)
