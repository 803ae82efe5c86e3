"""Which image of the project each response is of, with what did not match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.maps.names import match_names
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import RawResponses, count, some

_CLOSEST_SOUGHT = 20
"""Names whose nearest image is looked for; a search among thousands takes a while."""
_OF_ONE = {"are": "is", "fit": "fits"}


@dataclass(frozen=True, slots=True)
class MatchedName:
    """A name of the responses' file, and its image.

    Parameters
    ----------
    name
        As the file spells it.
    image
        The project's image; empty where there is none.
    n_rows
        Rows of that name, over all subjects and repeats.
    why
        Why it has no image, in words; empty where it has one.
    closest
        The image that is named most like it, where there is none; empty for none, or where it was not looked for.
    """

    name: str
    image: str
    n_rows: int
    why: str = ""
    closest: str = ""

    @property
    def why_of_one(self) -> str:
        """``why``, which is said of several names, as it is said of one."""
        verb, _, rest = self.why.partition(" ")
        return f"{_OF_ONE.get(verb, verb)} {rest}"


@dataclass(frozen=True)
class Matched:
    """All names of a file.

    Parameters
    ----------
    names
        The file's names, in order of appearance.
    without
        The project's images without a response, in their order.
    """

    names: tuple[MatchedName, ...]
    without: tuple[str, ...]

    @property
    def image_of(self) -> dict[str, str]:
        """Name in the file -> image, of those that have one."""
        return {one.name: one.image for one in self.names if one.image}

    @property
    def left_out(self) -> list[MatchedName]:
        """Names without an image."""
        return [one for one in self.names if not one.image]

    def cautions(self, where: str) -> list[GazeError]:
        """Return what is said of the names and images that have no partner."""
        found = []
        reasons: dict[str, list[MatchedName]] = {}
        for one in self.left_out:
            reasons.setdefault(one.why, []).append(one)
        for why, names in reasons.items():
            said = why if len(names) > 1 else names[0].why_of_one
            near = next((one for one in names if one.closest), None)
            hint = f"Did you mean “{near.closest}” by “{near.name}”? " if near else ""
            found.append(
                GazeError(
                    f"{count(len(names), 'name', 'names')} of the responses {said}, left out: "
                    f"{some([one.name for one in names])}.",
                    where=where,
                    todo=f"{hint}Name responses like their images.",
                )
            )
        if self.without:
            found.append(
                GazeError(
                    f"{count(len(self.without), 'image of the project has', 'images of the project have')} no "
                    f"response: {some(self.without)}.",
                    where=where,
                )
            )
        return found


def match_rows(raw: RawResponses, options: ResponseOptions, images: Sequence[str]) -> Matched:
    """Return the image of each name of a file; of one subject, where the user said to read one alone."""
    own = [entry.image for entry in raw.entries if options.subject in ("", entry.subject)]
    return match_images(own or [entry.image for entry in raw.entries], images)


def match_images(names: Sequence[str], images: Sequence[str]) -> Matched:
    """Return the image of each name.

    Names match as those of maps do (:func:`~gazeapp.engine.maps.names.match_names`).

    Parameters
    ----------
    names
        Name of each row of the file; a name may stand there several times.
    images
        Names of the project's images.
    """
    rows = Counter(names)
    unique = list(rows)
    matches = match_names(images, unique)
    image_of = {name: image for image, name in matches.map_of.items()}
    why = dict.fromkeys(matches.unclear, "fit several images")
    why |= {
        name: "fit an image that another name fits as well" for of in matches.rivals.values() for name in of
    }
    known = ImageNames(images)
    found, sought = [], 0
    for place, name in enumerate(unique):
        if place in image_of:
            found.append(MatchedName(name, images[image_of[place]], rows[name]))
            continue
        closest = ""
        if place not in why and sought < _CLOSEST_SOUGHT:
            sought += 1
            closest = known.closest(name)
        found.append(
            MatchedName(name, "", rows[name], why.get(place, "are like no image of the project"), closest)
        )
    taken = set(matches.map_of)
    return Matched(tuple(found), tuple(image for k, image in enumerate(images) if k not in taken))
