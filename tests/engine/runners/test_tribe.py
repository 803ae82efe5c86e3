"""The script around TRIBE v2, with a stand-in of its library: films, order, plateau, what is kept, sentences.

The library's weights are not here; what they predict is not tested.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.prediction import Clip, ImageFile, Predicted, predict
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.resources import resource_path
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.script import ConsentNeededError, read_script
from tests.engine.runners.tribe_world import TribeWorld, response

SCRIPT = resource_path("runners", "tribe.py")
Ask = Callable[..., Predicted]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TribeWorld:
    return TribeWorld(tmp_path, monkeypatch)


@pytest.fixture
def ask(world: TribeWorld, consents: ConsentStore) -> Iterator[Ask]:
    """Predict with the script; each call after `ask.process.close()` is that of another day."""
    script = read_script(SCRIPT)
    script.agree(consents)
    with RunnerProcess(script, consents) as process:

        def call(*images: ImageFile, clip: Clip | None = None, **options: object) -> Predicted:
            return predict(process, images, clip or Clip(), world.folder / "kept", **options)  # type: ignore[arg-type]

        call.process = process  # type: ignore[attr-defined]
        yield call


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(resource_path("runners")))
    try:
        spec = importlib.util.spec_from_file_location("tribe", SCRIPT)
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    finally:
        sys.path.pop(0)
    return module


def test_its_head_says_what_it_installs_and_under_which_terms(
    script: ModuleType, consents: ConsentStore
) -> None:
    head = read_script(SCRIPT)
    assert (head.actions, head.methods) == (("run",), ())
    question = head.question(consents)
    for said in ("CC-BY-NC-4.0", "16 GB", "0.7 GB of weights", "simulated", script.LIBRARY, script.REVISION):
        assert said in question
    assert head.revision == script.REVISION
    assert "never run with its weights" in head.name


def test_each_image_gets_the_mean_of_its_plateau_whatever_the_order(world: TribeWorld, ask: Ask) -> None:
    greys = {"c.png": 200, "a.png": 10, "b.png": 90}
    told: list[tuple[int, int, str]] = []
    images = [world.image(name, grey) for name, grey in greys.items()]
    predicted = ask(*images, progress=lambda *step: told.append(step))
    assert predicted.images == ("c.png", "a.png", "b.png")
    assert predicted.values.dtype == np.float32
    assert predicted.problems == ()
    # Rows 4 to 9 begin in the window from 4 s to the end at 10 s and end in it; nothing is shifted by the lag.
    for row, grey in zip(predicted.values, greys.values(), strict=True):
        np.testing.assert_allclose(row, response(grey, 6.5), rtol=1e-6)
    assert [step[2] for step in told if step[0]] == ["c.png", "a.png", "b.png", "Done"]
    assert told[-1][:2] == (3, 3)
    (events,) = world.calls("events")
    assert events == {"audio_only": True, "types": ["Video"], "starts": [0]}
    films = world.calls("film")
    assert [film["size"] for film in films] == [[30, 20]] * 3
    assert {(f["seconds"], f["fps"], f["codec"], f["audio"]) for f in films} == {(10.0, 10, "libx264", False)}
    facts = predicted.facts
    assert facts["simulated"] is True
    assert (facts["source"], facts["licence"]) == ("TRIBE v2", "CC-BY-NC-4.0")
    assert (facts["clip_seconds"], facts["fps"], facts["window"]) == (10.0, 10, [4.0, 10.0])
    (weights,) = world.calls("weights")
    assert weights["revision"].startswith("f894e78")
    (load,) = world.calls("load")
    assert load == {"folder": "/weights", "device": "auto", "changed": {"data.num_workers": 0}}


def test_what_was_predicted_is_kept_for_the_picture_and_the_film(world: TribeWorld, ask: Ask) -> None:
    first, second = world.image("a.png", 50), world.image("b.png", 60)
    before = ask(first)
    ask.process.close()  # type: ignore[attr-defined]
    # A picture of the same content under another name is the same picture.
    renamed = ImageFile("other.png", first.path, first.sha256)
    both = ask(second, renamed)
    assert [call["n"] for call in world.calls("predict")] == [1, 1]
    assert both.images == ("b.png", "other.png")
    np.testing.assert_array_equal(both.values[1], before.values[0])
    # Another window needs no other film.
    early = ask(first, clip=Clip(window=(0.0, 2.0)))
    np.testing.assert_allclose(early.values[0], response(50, 0.5), rtol=1e-6)
    assert len(world.calls("predict")) == 2
    for clip in (Clip(clip_seconds=8.0), Clip(fps=12), Clip(whole_picture=True)):
        ask(first, clip=clip)
    assert len(world.calls("predict")) == 5
    assert not list((world.folder / "kept" / "films").iterdir())
    for path in (world.folder / "kept" / "rows").iterdir():
        path.write_bytes(path.read_bytes()[:-60])
    np.testing.assert_array_equal(ask(first).values, before.values)
    assert len(world.calls("predict")) == 6


def test_rows_that_end_after_the_clip_do_not_count(world: TribeWorld, ask: Ask) -> None:
    # 7.5 s: rows 0 to 7, of which 7 lasts to 8 s.
    predicted = ask(world.image("a.png", 100), clip=Clip(clip_seconds=7.5))
    np.testing.assert_allclose(predicted.values[0], response(100, 5.0), rtol=1e-6)


def test_a_damaged_picture_fails_alone(world: TribeWorld, ask: Ask) -> None:
    good, bad = world.image("good.png", 30), world.image("bad.png", 40)
    bad.path.write_bytes(bad.path.read_bytes()[:50])
    predicted = ask(bad, good)
    assert predicted.images == ("good.png",)
    ((name, what),) = predicted.problems
    assert name == "bad.png"
    assert "No film could be made of it" in what
    assert ask(bad).images == ()


WRONG = {
    "no card": "no NVIDIA graphics card .*choose it as the device",
    "gated": "agreed to conditions first.*`hf auth login`",
    "offline": "the hub cannot be reached.*Connect to",
    "memory": "not enough memory for TRIBE v2.*16 GB are advised",
    "nan": "for “a.png” that are no numbers",
    "shape": r"shape \(10, 1000\) for 10 segments",
    "empty": "returned nothing for “a.png”",
    "bug": "KeyError: 'infra.workdir'",
}


def test_what_goes_wrong_is_said_in_a_sentence_and_can_be_mended(world: TribeWorld, ask: Ask) -> None:
    image = world.image("a.png", 50)
    for mode, sentence in WRONG.items():
        world.behave(mode)
        with pytest.raises(GazeError, match=sentence):
            ask(image)
    world.behave("")
    np.testing.assert_allclose(ask(image).values[0], response(50, 6.5), rtol=1e-6)


def test_a_processor_is_used_where_it_is_asked_for(world: TribeWorld, ask: Ask) -> None:
    world.behave("no card")
    ask(world.image("a.png", 50), device="cpu")
    (load,) = world.calls("load")
    assert load["device"] == load["changed"]["data.video_feature.image.device"] == "cpu"


def test_without_consent_nothing_is_started(world: TribeWorld, consents: ConsentStore) -> None:
    process = RunnerProcess(read_script(SCRIPT), consents)
    with pytest.raises(ConsentNeededError, match="TRIBE v2"):
        predict(process, [world.image("a.png", 1)], Clip(), world.folder)
    assert process.pid is None
    assert not (world.folder / "calls").exists()


@pytest.mark.parametrize("size", [(301, 200), (90, 171), (2000, 500)])
def test_films_have_even_sides_and_the_middle_shows_all_of_a_whole_picture(
    script: ModuleType, tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("RGB", size, (255, 0, 0)).save(tmp_path / "a.png")
    plain = script.still(tmp_path / "a.png", False)
    assert plain.shape[0] % 2 == plain.shape[1] % 2 == 0
    assert max(plain.shape) <= 1024
    assert (plain == (255, 0, 0)).all()
    whole = script.still(tmp_path / "a.png", True)
    assert whole.shape[0] == whole.shape[1] <= 1024
    assert (whole[0, 0] == 128).all()
    # The video model makes the shorter side 292 px long and keeps the middle 256 px.
    side = whole.shape[0]
    first, last = side * 18 / 292, side * 274 / 292
    rows, columns = np.nonzero((whole == (255, 0, 0)).all(axis=2))
    for places in (rows, columns):
        assert places.min() >= first - 1
        assert places.max() + 1 <= last + 1
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longest == pytest.approx(256 / 292 * side, abs=2)


@pytest.mark.parametrize(
    "kind", ["RGB", "turned", "L", "RGBA", "LA", "clear palette", "I;16", "CMYK", "dark I;16"]
)
def test_pictures_are_filmed_as_the_window_shows_them(script: ModuleType, tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (20, 40, 4), dtype=np.uint8)
    path = tmp_path / ("a.tif" if kind == "CMYK" else "a.png")
    if kind.endswith("I;16"):
        values = pixels[..., 0].astype(np.uint16) * (0 if kind.startswith("dark") else 150)
        Image.fromarray(values).save(path)
    elif kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(pixels[..., :3]).save(path, exif=exif)
    elif kind == "clear palette":
        Image.fromarray(pixels[..., :3]).quantize(8).save(path, transparency=3)
    else:
        Image.fromarray(pixels).convert(kind).save(path)
    expected, _ = read_picture(path)
    assert expected.std() > 0 or kind == "dark I;16"
    np.testing.assert_array_equal(script.still(path, False), expected)
