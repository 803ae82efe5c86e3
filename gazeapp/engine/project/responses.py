"""Brain responses to the project's images."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Responses
from gazeapp.engine.neural.responses.naming import check_name
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray

_STORED = np.dtype("<f4")


class ResponseStore(Store):
    """Reads and writes the ``responses``, ``response_values`` and ``response_ceilings`` tables."""

    def all(self) -> list[ResponsesRow]:
        """Return the responses of the project, in the order in which they came."""
        return [self._row(row) for row in self._select("")]

    def get(self, name: str) -> ResponsesRow:
        """Return the responses of that name.

        Raises
        ------
        GazeError
            If there are none.
        """
        for row in self._select("WHERE r.name = ?", name):
            return self._row(row)
        names = [one.name for one in self.all()]
        known = f"The project has: {', '.join(names)}." if names else "Import some first."
        raise GazeError(f"The project holds no responses called “{name}”.", todo=known)

    def put(self, name: str, responses: Responses, settings_id: int) -> int:
        """Store responses whose images are named as the project's; in place of those of the same name.

        What encoding models found of the replaced ones goes with them.

        Raises
        ------
        GazeError
            If nothing may be called so, or an image is not in the project.
        """
        check_name(name)
        ids = {image.name: image.id for image in self._project.images.all()}
        strange = [image for image in responses.images if image not in ids]
        if strange:
            raise GazeError(
                f"{len(strange)} of the responses are of images that the project lacks, such as “{strange[0]}”.",
                todo="Match them with the project's images first.",
            )
        with self._project.transaction():
            self._db.execute("DELETE FROM responses WHERE name = ?", (name,))
            cursor = self._db.execute(
                "INSERT INTO responses (name, simulated, space, n_targets, targets, source, ceiling_origin, facts, "
                "settings_id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(name, int(responses.simulated), responses.space, responses.n_targets),
                    *(json.dumps(responses.targets), responses.source, responses.ceiling_origin),
                    *(json.dumps(responses.facts), settings_id, _now()),
                ),
            )
            id_ = int(cursor.lastrowid or 0)
            for s, subject in enumerate(responses.subjects):
                self._db.conn.executemany(
                    "INSERT INTO response_values (responses_id, subject, image_id, n_repeats, data) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (
                        (
                            *(id_, subject, ids[image], int(responses.n_repeats[s, k])),
                            _bytes(responses.values[s, k]),
                        )
                        for k, image in enumerate(responses.images)
                        if responses.n_repeats[s, k]
                    ),
                )
                if responses.ceilings is not None:
                    self._db.execute(
                        "INSERT INTO response_ceilings (responses_id, subject, data) VALUES (?, ?, ?)",
                        (id_, subject, _bytes(responses.ceilings[s])),
                    )
        return id_

    def read(self, name: str, subject: str | None = None) -> Responses:
        """Return responses with their values; of one subject, or of all.

        Images without a response of anybody are left out; a subject's missing ones are NaN.

        Raises
        ------
        GazeError
            If there are none of that name, or none of that subject.
        """
        row = self.get(name)
        if subject is not None and subject not in row.subjects:
            raise GazeError(
                f"“{name}” has no subject “{subject}”.", todo=f"It has: {', '.join(row.subjects)}."
            )
        subjects = row.subjects if subject is None else (subject,)
        place = {one: k for k, one in enumerate(subjects)}
        found = self._db.execute(
            "SELECT v.image_id, i.name FROM response_values v JOIN images i ON i.id = v.image_id "
            "WHERE v.responses_id = ? AND (? IS NULL OR v.subject = ?) GROUP BY v.image_id ORDER BY v.image_id",
            (row.id, subject, subject),
        ).fetchall()
        row_of = {image_id: k for k, (image_id, _) in enumerate(found)}
        values = np.full((len(subjects), len(found), row.n_targets), np.nan, np.float32)
        n_repeats = np.zeros((len(subjects), len(found)), np.int64)
        for one, image_id, repeats, data in self._db.execute(
            "SELECT subject, image_id, n_repeats, data FROM response_values WHERE responses_id = ? "
            "AND (? IS NULL OR subject = ?)",
            (row.id, subject, subject),
        ):
            values[place[one], row_of[image_id]] = np.frombuffer(data, _STORED)
            n_repeats[place[one], row_of[image_id]] = repeats
        return Responses(
            values,
            tuple(image for _, image in found),
            subjects,
            n_repeats,
            row.space,
            row.simulated,
            row.targets,
            self._ceilings(row, subjects),
            row.ceiling_origin,
            row.source,
            row.facts,
        )

    def image_ids(self, name: str) -> list[int]:
        """Return the ids of the images that have a response of anybody, ascending; no value is read.

        Raises
        ------
        GazeError
            If there are none of that name.
        """
        rows = self._db.execute(
            "SELECT DISTINCT image_id FROM response_values WHERE responses_id = ? ORDER BY image_id",
            (self.get(name).id,),
        )
        return [row[0] for row in rows]

    def remove(self, name: str) -> None:
        """Take responses out of the project with all that was found of them.

        Raises
        ------
        GazeError
            If there are none of that name.
        """
        id_ = self.get(name).id
        with self._project.transaction():
            self._db.execute("DELETE FROM responses WHERE id = ?", (id_,))

    def rename(self, old: str, new: str) -> None:
        """Give responses another name.

        Raises
        ------
        GazeError
            If there are none of the old name, some of the new one, or nothing may be called so.
        """
        id_ = self.get(old).id
        check_name(new)
        if any(one.name == new and one.id != id_ for one in self.all()):
            raise GazeError(
                f"The project holds responses called “{new}” already.", todo="Choose another name."
            )
        with self._project.transaction():
            self._db.execute("UPDATE responses SET name = ? WHERE id = ?", (new, id_))

    def _ceilings(self, row: ResponsesRow, subjects: tuple[str, ...]) -> FloatArray | None:
        stored = {
            subject: np.frombuffer(data, _STORED)
            for subject, data in self._db.execute(
                "SELECT subject, data FROM response_ceilings WHERE responses_id = ?", (row.id,)
            )
        }
        if not stored:
            return None
        return np.stack([stored[one] for one in subjects]).astype(np.float32)

    def _select(self, where: str, *values: str) -> list[tuple[object, ...]]:
        return self._db.execute(
            "SELECT r.id, r.name, r.simulated, r.space, r.n_targets, r.targets, "
            "(SELECT json_group_array(subject) FROM (SELECT DISTINCT subject FROM response_values v "
            "WHERE v.responses_id = r.id ORDER BY subject)), "
            "(SELECT count(DISTINCT image_id) FROM response_values v WHERE v.responses_id = r.id), "
            f"r.source, r.ceiling_origin, r.facts, r.settings_id, r.created FROM responses r {where} ORDER BY r.id",
            values,
        ).fetchall()

    @staticmethod
    def _row(row: tuple[object, ...]) -> ResponsesRow:
        id_, name, simulated, space, n_targets, targets, subjects, n_images, source, origin, facts, *made = (
            row
        )
        return ResponsesRow(
            id=id_,  # type: ignore[arg-type]
            name=str(name),
            simulated=bool(simulated),
            space=str(space),
            n_targets=n_targets,  # type: ignore[arg-type]
            targets=tuple(json.loads(str(targets))),
            subjects=tuple(json.loads(str(subjects))),
            n_images=n_images,  # type: ignore[arg-type]
            source=str(source),
            ceiling_origin=str(origin),
            facts=json.loads(str(facts)),
            settings_id=made[0],  # type: ignore[arg-type]
            created=str(made[1]),
        )


def _bytes(values: FloatArray) -> bytes:
    return np.ascontiguousarray(values, dtype=_STORED).tobytes()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
