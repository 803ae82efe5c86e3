"""The commands about models: which there are, bringing one here, agreeing to its code, and what tasks say to them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gazeapp.cli_base import FILE, counts, report_and_exit
from gazeapp.engine.errors import GazeError
from gazeapp.terminal import TerminalProgress


@click.command("models")
@click.option(
    "--add",
    "added",
    type=FILE,
    multiple=True,
    help="Put a folder with a model, a captioner, or several captioners on the list.",
)
@click.option(
    "--forget", "forgotten", type=FILE, multiple=True, help="Take a folder off the list; its files stay."
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def models_command(added: tuple[Path, ...], forgotten: tuple[Path, ...], as_json: bool) -> None:
    """List the models: captioners, vision-language models, runner scripts, and what each needs.

    Folders that you extract with are put on the list by themselves.
    """
    from gazeapp.engine.models.captioner.listing import ships
    from gazeapp.engine.models.registry import list_captioners
    from gazeapp.engine.models.vlm.loading.listing import known_models
    from gazeapp.engine.runners.script import DESCRIBE, find_scripts

    _change_folders(added, forgotten)
    found, vlms = list_captioners(), known_models()
    scripts = [script for script in find_scripts()[0] if DESCRIBE in script.actions]
    if as_json:
        rows = [
            {
                "id": i.id,
                "name": i.name,
                "kind": i.kind,
                "domain": i.domain,
                "methods": i.methods,
                "here": True,
                **({} if ships(i) else {"folder": i.checkpoint}),
            }
            for i in found.models
        ]
        rows += [
            {"id": r.id, "name": r.name, "kind": "vlm", "here": r.here, "bytes": r.size, "can_run": r.can_run}
            | {"fits": r.fits, "needs": r.needs, "revision": r.revision, "model_type": r.model_type}
            for r in vlms
        ]
        rows += [
            {"id": s.id, "name": s.name, "kind": "runner", "here": True, "methods": s.methods}
            | {"file": str(s.path)}
            for s in scripts
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo("Captioners (ready):")
    for info in found.models:
        domain = f"trained on {info.domain}; " if info.domain else ""
        place = "" if ships(info) else f"; in {info.checkpoint}"
        click.echo(f"  {info.id:<24} {info.name:<24} {domain}map methods: {', '.join(info.methods)}{place}")
    for sentence in (*found.notes, *found.problems):
        click.echo(f"Note: {sentence}", err=True)
    click.echo("Vision-language models (a hub name or a folder of another one works as well):")
    for row in vlms:
        needs = " ".join(row.needs) or "Ready."
        click.echo(f"  {row.id:<24} {row.name:<24} {needs if row.can_run else ''} {row.fits}".rstrip())
    click.echo("Runner scripts (libraries of their own, see `gazeapp runner --help`):")
    for script in scripts:
        click.echo(
            f"  {script.id:<24} {script.name:<24} installs {script.installs}; download {script.download}"
        )


def _change_folders(added: tuple[Path, ...], forgotten: tuple[Path, ...]) -> None:
    """Put folders on the user's list of models, and take folders off it."""
    from gazeapp.engine.models.captioner.own import captioners_in, register
    from gazeapp.engine.models.vlm.loading.folders import ModelFolders

    folders = ModelFolders()
    for folder in added:
        if captioners_in(folder.expanduser()):
            register(folder)
        else:
            folders.add(folder)
    for folder in forgotten:
        if not {folder, folder.expanduser().resolve()}.intersection(folders.all()):
            raise GazeError("This folder is not on the list.", where=str(folder))
        folders.remove(folder)


@click.command("download")
@click.argument("model")
@click.option(
    "--yes", is_flag=True, help="Begin without asking; how much comes from where is printed all the same."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def download_command(model: str, yes: bool, as_json: bool) -> None:
    """Bring MODEL (a short id or a hub name, with or without @revision) onto this machine.

    How many GB come from where is said first. A download that was stopped goes on where it ended.
    """
    from gazeapp.engine.models.vlm.loading.survey import survey
    from gazeapp.engine.workflows.download import DownloadSettings, download

    click.echo(survey(model).sentence, err=True)
    if not yes and not click.confirm("Download it?", default=False, err=True):
        raise GazeError("Nothing was downloaded.")
    with TerminalProgress(quiet=as_json).watching() as progress:
        summary = download(None, DownloadSettings(model), progress)
    report_and_exit(summary, as_json, f"{summary.details['model']}: {counts(summary)}")


@click.command("convert")
@click.argument("folder", type=FILE)
@click.argument("new_folder", type=FILE)
def convert_command(folder: Path, new_folder: Path) -> None:
    """Copy the model in FOLDER to NEW_FOLDER with its pickled weights as safetensors, which gazeapp reads.

    Code that a pickle may hold is not run; names and numbers stay as they are.
    """
    from gazeapp.engine.models.vlm.loading.convert import convert

    click.echo(f"Written: {convert(folder, new_folder)}")


@click.command("allow-code")
@click.argument("model")
@click.option("--yes", is_flag=True, help="Agree without being asked.")
def allow_code_command(model: str, yes: bool) -> None:
    """Agree to run the code that MODEL brings with it, as it is now.

    Models of types that gazeapp or transformers know bring none. Code that changes is asked about again.
    """
    from gazeapp.engine.consent import REMOTE_CODE, ConsentStore
    from gazeapp.engine.models.vlm.loading.load import consent_subject
    from gazeapp.engine.models.vlm.loading.sources import resolve

    checkpoint = resolve(model)
    if not checkpoint.here:
        raise GazeError(f"{checkpoint.id} is not on this machine.", todo=f"First: gazeapp download {model}")
    if not checkpoint.code_files:
        click.echo(f"{checkpoint.id} brings no code that would run here.")
        return
    click.echo(f"{checkpoint.id}, revision {checkpoint.revision}, would run on this machine:")
    for name in checkpoint.code_files:
        click.echo(f"  {checkpoint.folder / name if checkpoint.folder else name}")
    if not yes and not click.confirm("Run this code when the model is used?", default=False):
        raise GazeError("Nothing was agreed to.")
    ConsentStore().give(REMOTE_CODE, consent_subject(checkpoint), checkpoint.code_digest)
    click.echo("Agreed. Other code, or a change of it, is asked about again.")


@click.command("prompt")
@click.argument("project", type=FILE)
@click.argument("task", required=False)
@click.option("--text", default=None, help="The new text.")
@click.option("--json", "as_json", is_flag=True, help="Print the texts as JSON.")
def prompt_command(project: Path, task: str | None, text: str | None, as_json: bool) -> None:
    """Show what the tasks of PROJECT say to models that read a prompt, or give TASK another text.

    Earlier texts stay, as do the runs that were made with them.
    """
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.prompts import prompt_of, prompt_versions, set_prompt

    with Project.open(project) as opened:
        if text is not None:
            if task is None:
                raise click.UsageError("Name the task whose text it is.")
            set_prompt(opened, opened.tasks.resolve(task), text)
        tasks = [opened.tasks.resolve(task)] if task else opened.tasks.all()
        for name in tasks:
            opened.tasks.id_of(name)
        current = {name: prompt_of(opened, name) for name in tasks}
        versions = {name: prompt_versions(opened, name) for name in tasks}
    if as_json:
        rows = [
            {"task": p.task, "version": p.version, "text": p.text, "current": p == current[p.task]}
            for name in tasks
            for p in versions[name]
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for name in tasks:
        for prompt in versions[name]:
            mark = "*" if prompt == current[name] else " "
            click.echo(f"{mark} {name}, version {prompt.version}: {prompt.text}")


MODEL_COMMANDS = (models_command, download_command, convert_command, allow_code_command, prompt_command)
