"""Starting: quick, light, and without a display."""

import os
import subprocess
import sys

import pytest
from PySide6.QtGui import QImage

from gazeapp.engine.errors import GazeError
from gazeapp.ui import theme

HEAVY = ("torch", "torchvision", "transformers", "timm", "matplotlib", "scipy", "pandas")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_importing_the_window_loads_nothing_heavy():
    run = python(f"import sys, gazeapp.ui.app; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert run.stdout.strip() == "[]", run.stderr


def test_the_window_opens_a_project_and_quits_with_nothing_heavy_loaded(study):
    code = (
        "import sys; from pathlib import Path; from gazeapp.ui.app import main; "
        f"code = main(Path({str(study.path)!r})); "
        f"print(code, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    run = python(code, GAZEAPP_QUIT_AFTER="1.5")
    assert run.stdout.strip() == "0 []", run.stderr
    assert run.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_signal_closes_the_window_in_order(study):
    lock = study.path.with_name(study.path.name + ".lock")
    code = f"""
import os, signal, threading, time
from pathlib import Path
from gazeapp.ui.app import main
def end():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL or not Path({str(lock)!r}).exists():
        time.sleep(0.05)
    print("open", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end, daemon=True).start()
print(main(Path({str(study.path)!r})))
"""
    run = python(code)
    assert run.stdout.split() == ["open", "0"], run.stderr
    assert not lock.exists()


def test_pictures_of_the_window(qtbot, study, tmp_path):
    from gazeapp.ui.pictures import save_window_pictures

    pictures = save_window_pictures(study.path, tmp_path / "pictures")
    assert [p.name for p in pictures] == [
        "window-light.png",
        "window-dark.png",
        "window-light-large.png",
        "window-dark-large.png",
        "window-word-light.png",
    ]
    light, dark, large = (QImage(str(pictures[n])) for n in (0, 1, 2))
    assert (light.width(), light.height()) == (1280, 800)
    assert (large.width(), large.height()) == (2560, 1440)
    corner = light.width() - 4, 4
    assert light.pixelColor(*corner).name() == theme.LIGHT.window
    assert dark.pixelColor(*corner).name() == theme.DARK.window
    assert QImage(str(pictures[4])) != light


def test_no_pictures_of_what_is_no_project(qtbot, tmp_path):
    from gazeapp.ui.pictures import save_window_pictures

    path = tmp_path / "x.gaze"
    path.write_text("hello")
    with pytest.raises(GazeError, match="no gazeapp project"):
        save_window_pictures(path, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only there can fonts be taken away")
def test_text_can_be_drawn_without_system_fonts(tmp_path):
    empty = tmp_path / "fonts.conf"
    empty.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{tmp_path}</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; from PySide6.QtGui import QFontMetrics; "
        "from gazeapp.ui import theme; app = QApplication([]); wide = lambda: ["
        "QFontMetrics(app.font()).horizontalAdvance(c) for c in 'iW']; before = wide(); theme.load_fonts(); "
        "after = wide(); print(before[0] == before[1], after[0] < after[1], 'matplotlib' in sys.modules)"
    )
    run = python(code, FONTCONFIG_FILE=str(empty))
    # Without fonts every letter is the same box; with one, an i is narrower than a W.
    assert run.stdout.split() == ["True", "True", "False"], run.stderr


def test_icons_take_the_colour_of_the_theme(qapp):
    def inked(color):
        picture = theme.pixmap("stop", color, 24).toImage()
        spots = (picture.pixelColor(x, y) for x in range(24) for y in range(24))
        return {(c.red() > 128) for c in spots if c.alpha() == 255}

    assert inked("#ff0000") == {True}
    assert inked("#000000") == {False}


def test_text_is_readable_in_both_themes():
    """WCAG 2 contrast of 4.5 or more: https://www.w3.org/TR/WCAG21/#contrast-minimum."""

    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for shades in (theme.LIGHT, theme.DARK):
        for ink, ground in (
            (shades.text, shades.window),
            (shades.text, shades.base),
            (shades.muted, shades.window),
            (shades.muted, shades.base),
            (shades.on_accent, shades.accent),
            (shades.warning, shades.warning_soft),
            (shades.text, shades.accent_soft),
        ):
            high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (shades.name, ink, ground)
