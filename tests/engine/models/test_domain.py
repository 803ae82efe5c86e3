import pytest

from gazeapp.engine.models.domain import is_outside_training


@pytest.mark.parametrize(
    ("domain", "origin", "outside"),
    [
        ("demo-world", "photograph", True),
        ("demo-world", "demo-world", False),
        ("COCO Captions", "photograph", False),
        ("COCO Captions", "demo-world", False),
        ("photograph", "demo-world", False),
        ("", "photograph", False),
    ],
)
def test_only_models_of_drawn_scenes_are_held_against_an_image(domain, origin, outside):
    assert is_outside_training(domain, origin) is outside
