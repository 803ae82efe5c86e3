"""A caption mentions an object by the words of its label, side by side, singular or plural."""

from __future__ import annotations

import pytest

from gazeapp.engine.lesions.mentions import mentioned, mentions


@pytest.mark.parametrize(
    ("label", "caption", "there"),
    [
        ("ball", "a red ball on the grass", True),
        ("ball", "two balls", True),
        ("balls", "a ball", True),
        ("box", "three Boxes.", True),
        ("man", "a woman in a boat", False),
        ("man", "the man's hat", True),
        ("man", "two men", False),
        ("teddy bear", "two Teddy-bears!", True),
        ("traffic_light", "under a traffic light", True),
        ("fire hydrant", "a hydrant near a fire", False),
        ("fire hydrant", "a fire and a hydrant", False),
        ("glass", "wine glasses", True),
        ("cup", "a cupboard", False),
        ("ca", "a cases", False),
        ("STRASSE", "eine Straße", True),
        ("cafe\u0301", "a caf\u00e9", True),
        ("ball", "", False),
        ("?!", "a ball ?!", False),
        ("", "a ball", False),
    ],
)
def test_the_rule(label: str, caption: str, there: bool):
    assert mentions(label, caption.split()) is there


def test_labels_come_back_as_they_are_written():
    labels = ["Ball", "tree", "traffic_light", "Ball"]
    words = ("a", "ball,", "and", "Traffic", "lights")
    assert mentioned(labels, words) == {"Ball", "traffic_light"}
    assert mentioned([], words) == frozenset()
    assert mentioned(iter(labels), iter(words)) == {"Ball", "traffic_light"}
