"""Names of users do not become markup, nor break tables."""

from __future__ import annotations

import pytest

from gazeapp.engine.models.captioner.markdown import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ResNet-101 LSTM", "ResNet-101 LSTM"),
        ("a|b\n# c", r"a\|b \# c"),
        ("<b> *x* `y` [z](u)", r"\<b\> \*x\* \`y\` \[z\](u)"),
        ("vit_base\\", r"vit\_base" + "\\\\"),
    ],
)
def test_signs_of_markdown_are_shown_as_they_are(text, shown):
    assert plain(text) == shown
