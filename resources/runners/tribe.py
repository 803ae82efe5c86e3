# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "tribev2 @ git+https://github.com/facebookresearch/tribev2.git@72399081ed3f1040c4d996cefb2864a4c46f5b8e",
#   "neuralset==0.0.2",
#   "neuraltrain==0.0.2",
#   "torch>=2.5.1,<2.7",
#   "numpy==2.2.6",
#   "exca==0.5.25",
#   "moviepy==2.2.1",
#   "transformers>=4.53,<5",
#   "huggingface_hub<1",
#   "pandas<3",
#   "pillow>=11",
# ]
#
# [tool.gazeapp]
# name = "TRIBE v2 (never run with its weights)"
# description = """Predicts the responses of an average person's cortex to each image, held still as a silent clip: \
#   simulated responses, not a recording. Needs an NVIDIA graphics card; 16 GB of its memory are advised."""
# licence = """CC-BY-NC-4.0, not for commercial use: TRIBE v2, its weights, neuralset and neuraltrain; \
#   the weights of V-JEPA 2 have a licence of their own"""
# download = "about 6 GB of libraries, 0.7 GB of weights of TRIBE v2 and 4 GB of V-JEPA 2"
# actions = ["run"]
# checkpoint = "facebook/tribev2"
# revision = "f894e783020944dcd96e5568550afe2aa9743f9f"
# ///
"""Brain responses to still images as TRIBE v2 predicts them; none of TRIBE is part of gazeapp.

TRIBE v2 predicts fMRI responses to films: one row for each second, 20,484 vertices of fsaverage5, for an average
person. It takes no still images, so each image is held for some seconds as a silent film, all films are predicted
together, and the rows of a plateau are averaged. **The rows are shifted by the haemodynamic lag of 5 s already**: row t
is the response to what was shown at t, and nothing is shifted again here.

What it is asked and answers is in docs/tribe.md; any script that keeps to that can take its place.

**Not verified:** neither the weights nor a graphics card were at hand when this was written. Tested are the clips, the
order of images, the average of the plateau, what is kept, and the sentences, with a stand-in of the library.

The library reads the settings that come with the weights, ``config.yaml``, in a way that lets them run code; so only
the revision named above is taken.
"""

import contextlib
import hashlib
import json
import os
import threading
import time
from pathlib import Path

import numpy as np
from gazeapp_runner import RunnerError, serve
from PIL import Image, ImageOps

CHECKPOINT = "facebook/tribev2"
REVISION = "f894e783020944dcd96e5568550afe2aa9743f9f"
LIBRARY = "72399081ed3f1040c4d996cefb2864a4c46f5b8e"
"""Commit of the library, as it is installed above."""
LICENCE = "CC-BY-NC-4.0"
N_VERTICES = 20_484

LONGEST = 1024
"""Longest side of a clip, px: the video model sees 256 px, and more only takes time."""
SEEN = 256 / 292
"""Share of the shorter side that is seen: the video model makes it 292 px long and keeps the middle 256 px."""
GREY = (128, 128, 128)
BEAT = 20.0
"""Seconds between two signs of life while films are predicted."""
LONGEST_WAIT = 1800.0
"""Seconds that one image may take before no more signs of life are given."""

ALONE = {"data.num_workers": 0}
"""Change of the library's settings: films are read in this process."""
PROCESSOR = {
    f"data.{part}.device": "cpu"
    for part in ("video_feature.image", "image_feature.image", "audio_feature", "text_feature")
}
"""Change of the library's settings without a graphics card, which its models would look for."""

loaded = None


def run(request, progress):
    """Predict the responses to some images.

    Returns
    -------
    dict
        The file ``responses.npz`` with ``Y`` (n_images, 20484), ``image_ids`` and ``meta_json``, and under
        ``problems`` what could not be done.
    """
    values = request.values
    images, settings = values["images"], Settings(values["settings"])
    store = Store(Path(values["folder"]), settings)
    missing = [image for image in images if store.read(image) is None]
    done = len(images) - len(missing)
    problems = []
    if missing:
        model = load(store.folder, settings, progress)
        films, problems = make_films(missing, store, settings, progress, done, len(images))
        if films:
            predict(model, films, store, progress, (done, len(images)))
    there = [(image["name"], store.read(image)) for image in images]
    kept = [(name, plateau(*rows, settings)) for name, rows in there if rows is not None]
    progress(len(images), len(images), "Done")
    values = {"problems": problems}
    if not kept:
        return {"values": values, "files": []}
    np.savez(
        request.folder / "responses.npz",
        Y=np.stack([row for _, row in kept]).astype(np.float32),
        image_ids=np.array([name for name, _ in kept]),
        meta_json=np.array(json.dumps(settings.facts())),
    )
    return {"values": values, "files": ["responses.npz"]}


class Settings:
    """How images become films, and films responses.

    Parameters
    ----------
    values
        ``clip_seconds``, ``fps``, ``window`` (first and last second of the average; None for the end of the clip),
        ``whole_picture`` and ``device``.
    """

    def __init__(self, values):
        self.seconds = float(values["clip_seconds"])
        self.fps = int(values["fps"])
        first, last = values["window"]
        self.first, self.last = float(first), self.seconds if last is None else float(last)
        self.whole = bool(values.get("whole_picture", False))
        self.device = values.get("device", "auto")

    @property
    def film(self):
        """All that makes a film, and the versions that predict from it: what is kept is kept for these."""
        return [self.seconds, self.fps, self.whole, LONGEST, LIBRARY, REVISION]

    def facts(self):
        """What is stored beside the responses, JSON-able."""
        return {
            "source": "TRIBE v2",
            "simulated": True,
            "licence": LICENCE,
            "revision": f"weights {REVISION[:7]}, library {LIBRARY[:7]}",
            "checkpoint": CHECKPOINT,
            "clip_seconds": self.seconds,
            "fps": self.fps,
            "window": [self.first, self.last],
            "whole_picture": self.whole,
            "longest_side": LONGEST,
            "lag": "5 s, taken into account by the model",
            "subject": "average",
        }


class Store:
    """Rows that were predicted before, one file for each image; an image is known by its content.

    Parameters
    ----------
    folder
        Where everything is kept.
    settings
        What the rows have to be made by.
    """

    def __init__(self, folder, settings):
        self.folder = folder
        self._settings = settings
        for name in ("rows", "films"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def key(self, image):
        """Name under which an image's rows are kept."""
        text = json.dumps([image["sha256"], *self._settings.film])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def film(self, image):
        """Path of an image's film; the library keeps what it has seen in a film under this path."""
        return self.folder / "films" / f"{self.key(image)}.mp4"

    def read(self, image):
        """Return starts and rows of an image, shapes (n,) and (n, 20484); None where they are not there or damaged."""
        try:
            with np.load(self._path(image), allow_pickle=False) as kept:
                starts, rows = kept["starts"], kept["rows"]
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made again
            return None
        return (starts, rows) if rows.shape == (len(starts), N_VERTICES) else None

    def write(self, image, starts, rows):
        """Keep the rows of an image; a file is there whole or not at all."""
        path = self._path(image)
        partial = path.with_suffix(f".{os.getpid()}.part")
        with partial.open("wb") as file:
            np.savez(file, starts=np.asarray(starts, np.float64), rows=np.asarray(rows, np.float32))
        partial.replace(path)
        self.film(image).unlink(missing_ok=True)

    def _path(self, image):
        return self.folder / "rows" / f"{self.key(image)}.npz"


def load(folder, settings, progress):
    """Load the model once."""
    global loaded
    if loaded is not None:
        return loaded
    with sentences():
        import torch

        if settings.device != "cpu" and not torch.cuda.is_available():
            raise RunnerError(
                "There is no NVIDIA graphics card here that TRIBE's libraries can use; on a processor it would take "
                "far too long.",
                "Run it on a computer with such a card, 16 GB of its memory are advised, and import the file that it "
                "makes. To let a processor try nevertheless, choose it as the device.",
            )
        progress(0, 0, "Fetching the weights of TRIBE v2")
        from huggingface_hub import snapshot_download
        from tribev2 import TribeModel

        weights = snapshot_download(
            CHECKPOINT, revision=REVISION, allow_patterns=["config.yaml", "best.ckpt"]
        )
        progress(0, 0, "Loading TRIBE v2")
        on_processor = settings.device == "cpu"
        loaded = TribeModel.from_pretrained(
            weights,
            cache_folder=str(folder / "seen"),
            device="cpu" if on_processor else "auto",
            config_update=ALONE | (PROCESSOR if on_processor else {}),
        )
    return loaded


def make_films(images, store, settings, progress, done, total):
    """Make the films of images; return those that could be made, and what was wrong with the others."""
    made, problems = [], []
    for number, image in enumerate(images):
        progress(done, total, f"Film {number + 1} of {len(images)}: {image['name']}")
        try:
            write_film(still(Path(image["path"]), settings.whole), store.film(image), settings)
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            problems.append({"name": image["name"], "what": f"No film could be made of it ({error})."})
        else:
            made.append(image)
    return made, problems


def still(path, whole):
    """Return a picture as it is filmed: upright, RGB, with even sides.

    Parameters
    ----------
    path
        The picture.
    whole
        Whether it is laid on a grey square that is so large that the video model, which sees the middle only, sees
        all of the picture.

    Returns
    -------
    numpy.ndarray
        Shape (height, width, 3), uint8.
    """
    with Image.open(path) as opened:
        picture = coloured(ImageOps.exif_transpose(opened))
    side = int(LONGEST * SEEN) if whole else LONGEST
    if max(picture.size) > side:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    if whole:
        across = int(np.ceil(max(picture.size) / SEEN))
        canvas = Image.new("RGB", (across, across), GREY)
        canvas.paste(picture, ((across - picture.width) // 2, (across - picture.height) // 2))
        picture = canvas
    pixels = np.asarray(picture)
    # Films have even sides; the last row or column is shown twice where there is one too few.
    return np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), mode="edge")


def coloured(picture):
    """Return a picture in RGB as gazeapp shows it: transparent parts on white, fine greys from darkest to brightest."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        low, high = values.min(), values.max()
        picture = Image.fromarray(((values - low) * (255.0 / max(high - low, 1e-9))).astype(np.uint8))
    elif picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.new("RGBA", clear.size, "white")
        picture.alpha_composite(clear)
    return picture.convert("RGB")


def write_film(pixels, path, settings):
    """Write a film that shows one picture and has no sound."""
    from moviepy import ImageClip

    partial = path.with_name(f"part-{path.name}")
    clip = ImageClip(pixels, duration=settings.seconds)
    clip.write_videofile(str(partial), codec="libx264", audio=False, fps=settings.fps, logger=None)
    partial.replace(path)


def predict(model, images, store, progress, counts):
    """Predict the responses to films, one timeline for each, and keep them."""
    import pandas as pd
    from tribev2.demo_utils import get_audio_and_text_events

    done, total = counts
    shown = [
        {"type": "Video", "filepath": str(store.film(image)), "start": 0, "timeline": store.key(image)}
        for image in images
    ]
    films = pd.DataFrame(shown).assign(subject="default")
    with sentences(), Alive(progress, done, total, len(images)):
        # Only sound is looked for, of which there is none: nothing is transcribed, no language model is loaded.
        events = get_audio_and_text_events(films, audio_only=True)
        rows, segments = model.predict(events, verbose=False)
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != N_VERTICES or len(rows) != len(segments):
        raise RunnerError(
            f"TRIBE v2 returned an array of shape {rows.shape} for {len(segments)} segments, not rows of "
            f"{N_VERTICES:,} vertices.",
            "Its library or weights are not those that this script was written for.",
        )
    starts = np.array([segment.start for segment in segments], np.float64)
    timelines = np.array([segment.timeline for segment in segments])
    for image in images:
        own = timelines == store.key(image)
        if not own.any():
            raise RunnerError(f"TRIBE v2 returned nothing for “{image['name']}”.")
        if not np.isfinite(rows[own]).all():
            raise RunnerError(f"TRIBE v2 returned values for “{image['name']}” that are no numbers.")
        order = np.argsort(starts[own])
        store.write(image, starts[own][order], rows[own][order])
        done += 1
        progress(done, total, image["name"])


def plateau(starts, rows, settings):
    """Return the mean of the rows that lie in the window from beginning to end, shape (20484,).

    Rows last a second. They are not shifted: the model has taken the haemodynamic lag into account.
    """
    inside = (starts >= settings.first - 1e-6) & (starts + 1.0 <= settings.last + 1e-6)
    if not inside.any():
        raise RunnerError(
            f"TRIBE v2 returned no row between {settings.first:g} and {settings.last:g} s of a clip.",
            "Choose a longer clip or another window.",
        )
    return rows[inside].mean(axis=0, dtype=np.float64)


class Alive:
    """Gives signs of life while the library works without a word, for no longer than it may take."""

    def __init__(self, progress, done, total, n_images):
        self._tell = lambda: progress(done, total, f"Predicting {n_images} films")
        self._until = time.monotonic() + LONGEST_WAIT * n_images
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_error):
        self._over.set()
        self._thread.join()

    def _beat(self):
        self._tell()
        while not self._over.wait(BEAT) and time.monotonic() < self._until:
            self._tell()


@contextlib.contextmanager
def sentences():
    """Say what usually goes wrong in a way that the user can act on."""
    try:
        yield
    except RunnerError:
        raise
    except Exception as error:
        text = " ".join(f"{type(one).__name__}: {one}" for one in chain(error)).lower()
        for signs, what, todo in KNOWN:
            if any(sign in text for sign in signs):
                raise RunnerError(what, todo) from error
        raise


KNOWN = (
    (
        ("out of memory",),
        "The graphics card has not enough memory for TRIBE v2.",
        "Close other programs that use it; 16 GB are advised. Fewer images at once do not help much, since the video "
        "model takes most of it.",
    ),
    (
        ("gatedrepo", "gated repo", "awaiting a review", "401 client error", "403 client error"),
        "The weights are given only to people who agreed to conditions first.",
        "Agree to them on the model's page of the hub, log in with `hf auth login`, and try again.",
    ),
    (
        (
            "localentrynotfound",
            "offlinemode",
            "connectionerror",
            "connecttimeout",
            "readtimeout",
            "couldn't connect",
            "name resolution",
            "max retries exceeded",
        ),
        "The weights are not on this computer, and the hub cannot be reached.",
        "Connect to the internet, or copy the hub's cache from a computer that has them.",
    ),
    (("no space left",), "The disk is full.", "Free some space; what is done is kept."),
)
"""(signs in the error, what it means, what to do about it)."""


def chain(error):
    """Return an error and those that it came from."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


if __name__ == "__main__":
    serve(run=run)
