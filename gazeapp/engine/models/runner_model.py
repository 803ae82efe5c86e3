"""A model that lives in a runner: its own libraries, its own program, the same words and maps as any model."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError, NothingSaidError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.lesions.pixels import changed_pixels
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.models.vlm.words import TokenWord, split_words
from gazeapp.engine.pictures import shrunk
from gazeapp.engine.runners.describe import Description, describe
from gazeapp.engine.runners.process import RunnerProcess, silent
from gazeapp.engine.runners.protocol import RunnerProgress
from gazeapp.engine.runners.script import DESCRIBE, RunnerScript
from gazeapp.engine.types import FloatArray, ImageArray

KIND = "runner"
"""Kind of the models that live in runners."""


def runner_info(script: RunnerScript) -> ModelInfo:
    """Return the facts about a script's model; its checkpoint is the script's file.

    Its revision is the script's digest, so that a changed script makes new runs.
    """
    return ModelInfo(
        id=f"runner-{script.id}",
        name=script.name,
        kind=KIND,
        checkpoint=str(script.path),
        revision=script.sha256,
        methods=script.methods,
        facts={
            "description": script.description,
            "licence": script.licence,
            "download": script.download,
            "dependencies": list(script.dependencies),
            "requires_python": script.requires_python,
            "weights": script.checkpoint,
            "weights_revision": script.revision,
        },
    )


class RunnerModel:
    """A script that describes images; implements `gazeapp.engine.models.base.Model`.

    The script is installed and started when it is first asked, stays for further images, and is started again after
    it has died.

    Parameters
    ----------
    script
        The script.
    consents
        Where the user's consent to it is looked up.
    progress
        Told (done, total, message) while it is installed, loads and works; a total of 0 means not known.

    Raises
    ------
    GazeError
        If the script does not describe images.
    """

    def __init__(
        self, script: RunnerScript, consents: ConsentStore, progress: RunnerProgress = silent
    ) -> None:
        if DESCRIBE not in script.actions:
            raise GazeError(f"“{script.name}” does not describe images.", where=str(script.path))
        self._info = runner_info(script)
        self._process = RunnerProcess(script, consents)
        self._progress = progress

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    def close(self) -> None:
        """End the script; describing another image starts it again."""
        self._process.close()

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        """Describe an image, with a map for each word.

        Parameters
        ----------
        image
            RGB, shape (height, width, 3), uint8.
        task
            Name of the task; what the model reads is ``options.prompt``.
        method
            Map method, one of the script's; empty for its first.
        options
            Prompt, decoding, and a lesion of the picture: a runner knows no other, and cannot be made to say given
            words.

        Returns
        -------
        Caption
            Words with log-probabilities; for each word the mean of its tokens' maps, normalised over the image.

        Raises
        ------
        ConsentNeededError
            If the user has not agreed to the script as it is.
        GazeError
            If the method or lesion is none of the script's, words are given, or the script fails.
        StoppedError
            If ``options.should_stop`` said so; the script is ended.
        MemoryError
            If the script ran out of memory.
        """
        chosen = method or self._info.default_method
        if chosen not in self._info.methods:
            raise GazeError(
                f"{self._info.name} has no map method '{chosen}'.",
                todo=f"It offers: {', '.join(self._info.methods)}.",
            )
        if options.forced or options.given:
            raise GazeError(
                f"{self._info.name} cannot be made to say given words: it runs in a program of its own, which chooses "
                "them.",
                todo="Leave the outcomes out that read the intact caption's probability.",
            )
        shown = shrunk(self._lesioned(image, options.lesion), options.image_scale)
        description = describe(
            self._process,
            shown,
            prompt=options.prompt,
            decoding={
                name: getattr(options.decoding, name)
                for name in ("max_tokens", "temperature", "top_p", "seed")
            },
            method=chosen,
            progress=self._progress,
            should_stop=options.should_stop,
        )
        said, words = split_words(
            range(len(description.tokens)), lambda tokens: "".join(description.tokens[i] for i in tokens)
        )
        if not words:
            raise NothingSaidError(todo="Try another prompt.")
        maps, mass = _word_maps(description, words)
        return Caption(
            words=tuple(_word(word, description) for word in words),
            maps=maps,
            image_mass=mass,
            rect=description.rect.scaled(image.shape[1] / shown.shape[1], image.shape[0] / shown.shape[0]),
            task=task,
            method=chosen,
            said=said,
            prompt=options.prompt,
            facts={
                **description.facts,
                "tokens": list(description.tokens),
                "token_log_probabilities": [round(float(p), 6) for p in description.log_probabilities],
                "token_words": [list(word.tokens) for word in words],
                "image_scale": options.image_scale,
            },
        )

    def _lesioned(self, image: ImageArray, lesion: Lesion | None) -> ImageArray:
        if lesion is None or lesion.is_empty:
            return image
        check_scope(self._info, lesion.scope)
        return changed_pixels(image, lesion)


def _word(word: TokenWord, description: Description) -> Word:
    return Word(word.text, float(sum(description.log_probabilities[i] for i in word.tokens)), word.is_content)


def _word_maps(description: Description, words: tuple[TokenWord, ...]) -> tuple[FloatArray, FloatArray]:
    """Return each word's map and mass: the means over the tokens that make it, maps weighted by their mass.

    Returns
    -------
    maps
        Shape (n_words, rows, columns), each summing to 1.
    mass
        Shape (n_words,), 0 to 1.

    Raises
    ------
    GazeError
        If a word has no attention on the image.
    """
    total = description.attention.sum(axis=(1, 2))
    scale = np.divide(description.image_mass, total, out=np.zeros_like(total), where=total > 0)
    on_image = description.attention * scale[:, None, None]
    by_word = np.stack([on_image[list(word.read)].mean(axis=0) for word in words])
    mass = by_word.sum(axis=(1, 2))
    if not (mass > 0).all():
        raise GazeError("Some words gave the image no attention at all, so they have no map.")
    return (by_word / mass[:, None, None]).astype(np.float32), mass.astype(np.float32)
