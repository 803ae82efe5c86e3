"""Looking for models and what each needs first; imports what reads them, so it is used off the GUI thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gazeapp.engine.consent import REMOTE_CODE, RUNNER, ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.own import captioners_in, register
from gazeapp.engine.models.registry import list_captioners
from gazeapp.engine.models.runner_model import KIND as RUNNER_KIND
from gazeapp.engine.models.runner_model import runner_info
from gazeapp.engine.models.vlm.loading.catalogue import known_model
from gazeapp.engine.models.vlm.loading.checkpoint import FOLDER, HUB, Checkpoint
from gazeapp.engine.models.vlm.loading.folders import ModelFolders
from gazeapp.engine.models.vlm.loading.listing import ModelRow, known_models
from gazeapp.engine.models.vlm.loading.load import consent_subject, needs_consent
from gazeapp.engine.models.vlm.loading.machine import Machine, glance_at_machine
from gazeapp.engine.models.vlm.loading.sources import resolve
from gazeapp.engine.models.vlm.opening import VLM, vlm_info
from gazeapp.engine.project.rows import ModelRow as ModelOfProject
from gazeapp.engine.runners.script import DESCRIBE, RunnerScript, find_scripts, read_script
from gazeapp.ui.dialogs.model_fit import Fit, fit_of, fit_of_row, kind_in_words
from gazeapp.ui.dialogs.model_offers import (
    AWAY,
    GROUPS,
    HERE,
    RUNNERS,
    Agreement,
    Found,
    Offer,
    captioner_offer,
)

_RIGHTS = (
    "It runs with your rights: it can read and write your files and use the network, as any program you start. "
    "Agree only to code whose origin you trust."
)


def find_offers(added: Sequence[str] = (), ran: Sequence[ModelOfProject] = ()) -> Found:
    """Look for vision-language models and runner scripts; takes a moment.

    Parameters
    ----------
    added
        Scripts and revisions that the user added to the list.
    ran
        Models of the project, which are offered too where their files are still on this computer.
    """
    machine = glance_at_machine()
    store = ConsentStore()
    offers = [_offer_of_row(row, machine, store) for row in known_models(machine=machine)]
    scripts, problems = find_scripts()
    problems = [*list_captioners().problems, *problems]
    offers += _offers_of_scripts(scripts, store)
    there = {offer.name for offer in offers}
    for name in (*added, *_places(ran)):
        if name in there:
            continue
        try:
            offer = look_up(name, machine)
        except GazeError as error:
            problems.append(error)
            continue
        if offer.name not in there and (name in added or offer.group != AWAY):
            offers.append(replace(offer, added=name in added))
            there.add(offer.name)
    ordered = sorted(offers, key=lambda offer: GROUPS.index(offer.group))
    return Found(tuple(ordered), tuple(problems), _no_four_bit(machine))


def look_up(name: str, machine: Machine | None = None) -> Offer:
    """Return the model that the user names: a folder, a hub name with or without a revision, or a runner script.

    Parameters
    ----------
    name
        What the user says.
    machine
        What there is to run on; this machine when None.

    Raises
    ------
    GazeError
        When nothing goes by that name, or it cannot be used.
    """
    store = ConsentStore()
    if name.endswith(".py"):
        script = read_script(Path(name).expanduser().resolve())
        offers = _offers_of_scripts([script], store)
        if not offers:
            raise GazeError(
                f"“{script.name}” does not describe images.",
                where=str(script.path),
                todo="Choose another script.",
            )
        return offers[0]
    checkpoint = resolve(name)
    if checkpoint.place == HUB:
        known = known_model(checkpoint.id)
        title = known.name if known else checkpoint.id
        return Offer(name, "", title, AWAY, VLM, size=known.download_bytes if known else None)
    info = vlm_info(name)
    fit = fit_of(checkpoint, machine or glance_at_machine())
    own = checkpoint.place == FOLDER
    offer = Offer(
        checkpoint.id if own else name,
        info.id,
        info.name,
        HERE,
        VLM,
        _facts(info.name, checkpoint.model_type, fit),
        _lines(fit.whole if fit.fits else "", checkpoint.id, _revision(checkpoint.revision)),
        why_not="" if fit.fits else fit.whole,
    )
    return replace(offer, asks=_code_to_agree(checkpoint, info.name, store))


def put_captioners_on_list(name: str) -> tuple[Offer, ...]:
    """Put a folder of captioners on the user's list and return what it holds; nothing where it holds none.

    Raises
    ------
    GazeError
        When none of them can be used, or the list cannot be written.
    """
    folder = Path(name).expanduser()
    if not captioners_in(folder):
        return ()
    there = {info.checkpoint for info in register(folder)}
    return tuple(captioner_offer(info) for info in list_captioners().models if info.checkpoint in there)


def remember(name: str) -> None:
    """Put a folder on the user's list of model folders.

    Raises
    ------
    GazeError
        If the list cannot be written.
    """
    ModelFolders().add(Path(name))


def _places(ran: Iterable[ModelOfProject]) -> list[str]:
    """Return what to look up of models that ran: hub names, and folders and scripts that are still there."""
    names = []
    for model in (model for model in ran if model.checkpoint):
        if model.kind == VLM and model.facts.get("place") != FOLDER:
            known = known_model(model.checkpoint)
            names.append(known.short if known else model.checkpoint)
        elif model.kind in (VLM, RUNNER_KIND) and Path(model.checkpoint).exists():
            names.append(model.checkpoint)
    return names


def _offer_of_row(row: ModelRow, machine: Machine, store: ConsentStore) -> Offer:
    away = row.place == HUB
    tip = _lines(
        row.fits if row.can_run or away else "", row.note, *row.needs, row.id, _revision(row.revision)
    )
    offer = Offer(
        name=row.id,
        id=Path(row.id).name if row.place == FOLDER else row.id,
        title=row.name,
        group=AWAY if away else HERE,
        kind=VLM,
        facts=_facts(row.name, row.model_type, fit_of_row(row, machine)),
        tip=tip,
        why_not="" if row.can_run or away else row.fits,
        size=row.size if away else 0,
        added=row.place == FOLDER,
    )
    if away or not row.can_run or not row.needs:
        return offer
    try:
        return replace(offer, asks=_code_to_agree(resolve(row.id), row.name, store))
    except (GazeError, OSError) as error:
        return replace(offer, why_not=str(error))


def _code_to_agree(checkpoint: Checkpoint, title: str, store: ConsentStore) -> Agreement | None:
    """Return what is to be agreed to before the code that comes with a model runs; None for nothing."""
    if checkpoint.folder is None or not needs_consent(checkpoint, store):
        return None
    files = sorted(path for path in checkpoint.folder.rglob("*.py") if path.is_file())
    return Agreement(
        kind=REMOTE_CODE,
        subject=consent_subject(checkpoint),
        digest=checkpoint.code_digest,
        title=f"Run the code that comes with {title}?",
        sentence=f"{title} brings Python files of its own, which would run inside gazeapp. {_RIGHTS}",
        facts=(
            ("Model", checkpoint.id),
            ("Revision", checkpoint.revision),
            ("Files", ", ".join(checkpoint.code_files)),
            ("SHA-256", checkpoint.code_digest),
        ),
        code=tuple((path.name, path.read_text("utf-8", "replace")) for path in files),
        changed=any(
            consent.kind == REMOTE_CODE and consent.subject.startswith(f"{checkpoint.id}@")
            for consent in store.all()
        ),
    )


def _offers_of_scripts(scripts: Iterable[RunnerScript], store: ConsentStore) -> list[Offer]:
    return [_offer_of_script(script, store) for script in scripts if DESCRIBE in script.actions]


def _offer_of_script(script: RunnerScript, store: ConsentStore) -> Offer:
    info = runner_info(script)
    return Offer(
        name=str(script.path),
        id=info.id,
        title=script.name,
        group=RUNNERS,
        kind=info.kind,
        facts=f"{script.description}  ·  download {script.download}",
        tip=f"{script.path}\nInstalls {script.installs}\nMap methods: {', '.join(script.methods)}",
        methods=script.methods,
        asks=None if script.agreed(store) else script_to_agree(script, store),
    )


def script_to_agree(script: RunnerScript, store: ConsentStore) -> Agreement:
    """Return what is to be agreed to before a script is installed and run."""
    weights = " ".join(part for part in (script.checkpoint, _revision(script.revision)) if part)
    facts = (
        ("Installs", f"{script.installs}; where no such Python is there, Python too"),
        ("Where", "in an environment of its own beside gazeapp's"),
        ("Download", script.download),
        ("Weights", weights),
        ("Installer", "; ".join(script.sources)),
        ("Licence", script.licence),
        ("Script", str(script.path)),
        ("SHA-256", script.sha256),
    )
    return Agreement(
        kind=RUNNER,
        subject=script.id,
        digest=script.sha256,
        title=f"Install and run “{script.name}”?",
        sentence=f"{script.description} {_RIGHTS}",
        facts=tuple((name, value) for name, value in facts if value),
        code=((script.path.name, script.text),),
        changed=store.known(RUNNER, script.id),
    )


def _no_four_bit(machine: Machine) -> str:
    if not any(card.device.startswith("cuda") for card in machine.cards):
        return "4 bits need an NVIDIA graphics card that torch can use."
    return "" if machine.four_bit else "4 bits need bitsandbytes, which is not installed here."


def _revision(revision: str) -> str:
    return f"revision {revision}" if revision else ""


def _facts(title: str, model_type: str, fit: Fit) -> str:
    """Return the second line of an offer; the kind of model is left out where its name tells it."""
    kind = kind_in_words(model_type)
    return "  ·  ".join(
        part for part in ("" if kind.casefold() in title.casefold() else kind, fit.short) if part
    )


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
