"""The hub: its addresses, its answers, its errors as sentences, and where its cache keeps files on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError

SILENCE = 20.0
"""Seconds without a byte after which a connection counts as lost."""


@contextmanager
def open_file(hub_id: str, commit: str, name: str, start: int = 0) -> Iterator[Any]:
    """Open a file of a model at the hub for reading.

    Parameters
    ----------
    hub_id, commit, name
        The model, its commit and the file.
    start
        First byte that is wanted; a hub that knows no ranges answers with all of them and status 200.

    Yields
    ------
    httpx2.Response
        Its body is not read yet, and comes as it is stored, not compressed.
    """
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        build_hf_headers,
        get_session,
        hf_raise_for_status,
    )

    url = hf_hub_url(hub_id, name, revision=commit, endpoint=constants.ENDPOINT)
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=SILENCE) as answer:
        if answer.status_code >= 400:
            answer.read()
        hf_raise_for_status(answer)
        yield answer


def blob_path(cache: Path, hub_id: str, digest: str) -> Path:
    """Return where the hub's cache keeps the bytes of a file."""
    return repository_folder(cache, hub_id) / "blobs" / digest


def repository_folder(cache: Path, hub_id: str) -> Path:
    """Return the folder of a model in the hub's cache."""
    return cache / ("models--" + hub_id.replace("/", "--"))


def lock_path(blob: Path) -> Path:
    """Return the file that the hub's library locks while it brings a file."""
    repository = blob.parent.parent
    return repository.parent / ".locks" / repository.name / f"{blob.name}.lock"


def partial_path(blob: Path) -> Path:
    """Return where the bytes of a file are kept until all of them are there."""
    return blob.with_name(f"{blob.name}.incomplete")


@contextmanager
def hub_errors(hub_id: str, revision: str = "") -> Iterator[None]:
    """Turn what can go wrong between here and the hub into sentences."""
    import httpx2
    from huggingface_hub import constants, errors

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise GazeError(
            "Downloads are switched off (HF_HUB_OFFLINE is set).",
            where=hub_id,
            todo="Unset HF_HUB_OFFLINE, or use a model that is on this machine.",
        ) from error
    except errors.GatedRepoError as error:
        raise GazeError(
            "Its publisher gives it only to people who agreed to conditions.",
            where=hub_id,
            todo=f"Agree on {constants.ENDPOINT}/{hub_id}, then log in here with: hf auth login",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise GazeError(
            f"The hub has no revision '{revision}' of it.",
            where=hub_id,
            todo="Check what stands after the @.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise GazeError(
            f"{constants.ENDPOINT} has no model of this name, or it is private.",
            where=hub_id,
            todo="Check the name; for a private model log in with: hf auth login",
        ) from error
    except errors.HFValidationError as error:
        raise GazeError("This is no name of a model.", where=hub_id, todo="Check the name.") from error
    except errors.HfHubHTTPError as error:
        raise GazeError(
            f"{constants.ENDPOINT} answered with error {error.response.status_code}.",
            where=hub_id,
            todo="Try again later; what has been downloaded is kept.",
        ) from error
    except httpx2.HTTPError as error:
        raise GazeError(
            f"{constants.ENDPOINT} cannot be reached.",
            where=hub_id,
            todo="Check the network; what has been downloaded is kept.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise odd_answer(hub_id) from error


def odd_answer(hub_id: str) -> GazeError:
    """Return what is said when something else than the hub answers, such as a login page of the network."""
    from huggingface_hub import constants

    return GazeError(
        f"What {constants.ENDPOINT} answers is not what a hub answers.",
        where=hub_id,
        todo="Check that the network lets you through, and that HF_ENDPOINT is a hub; then try again.",
    )
