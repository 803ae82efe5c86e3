"""The command that scores a study, and tells the result in a few lines."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeapp.cli_base import FILE, call, counts, finish, parse_sigma, report_and_exit

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.base import Progress, Summary
    from gazeapp.engine.workflows.score import ScoreSettings


@click.command("score")
@click.argument("project", type=FILE)
@click.option(
    "--preset",
    default="tuebingen",
    show_default=True,
    type=click.Choice(["tuebingen", "mit", "harmonization"]),
)
@click.option(
    "--sigma", default="", help="Blur of the human maps: 24px or 1deg. Default: that of the import."
)
@click.option("--px-per-deg", type=float, help="Image pixels per degree of visual angle.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="nss, auc, auc_judd, auc_borji, sauc, ig, ll, cc, spearman, sim, kl or emd; may be given several times. "
    "Default: those of the preset.",
)
@click.option(
    "--primary",
    default="",
    help="The metric that was declared before looking. Default: the first of the preset.",
)
@click.option(
    "--transform",
    default="none",
    show_default=True,
    type=click.Choice(["none", "density"]),
    help="density: each metric sees the map that suits it best, made from a density fitted on other images.",
)
@click.option(
    "--task", "tasks", multiple=True, help="Task to score; may be given several times. Default: all."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def score_command(
    project: Path,
    preset: str,
    sigma: str,
    px_per_deg: float | None,
    metrics: tuple[str, ...],
    primary: str,
    transform: str,
    tasks: tuple[str, ...],
    as_json: bool,
) -> None:
    """Score every map of PROJECT against its people, with ceilings and baselines, and measure the maps.

    At the end, the primary metric of each task is printed: mean over images, percent of the human ceiling, and its
    95 % interval.
    """
    from gazeapp.engine.reports.brief import brief_results, no_longer_shown, results_in_lines, shown_scores
    from gazeapp.engine.workflows.evaluate import evaluate
    from gazeapp.engine.workflows.score import ScoreSettings

    settings = ScoreSettings(
        preset=preset,
        px_per_deg=px_per_deg,
        metrics=metrics,
        primary=primary,
        transform=transform,
        tasks=tasks,
    )
    if sigma:
        value, unit = parse_sigma(sigma)
        settings = replace(settings, sigma=value, sigma_unit=unit)

    def verb(opened: Project, chosen: ScoreSettings, progress: Progress) -> Summary:
        before = shown_scores(opened, chosen.preset)
        done = evaluate(opened, chosen, progress)
        results = [] if done.cancelled else brief_results(opened, chosen.preset, done.details["tasks"])
        gone = no_longer_shown(before, shown_scores(opened, chosen.preset))
        return replace(done, details={**done.details, "results": results, "no_longer_shown": gone})

    summary = call(project, verb, settings, as_json)
    for line in summary.details["no_longer_shown"]:
        click.echo(f"Note: {line}", err=True)
    if as_json:
        report_and_exit(summary, as_json, "")
    click.echo(f"{summary.verb}: {counts(summary)}.")
    for line in results_in_lines(summary.details["results"]):
        click.echo(line)
    sys.exit(finish(summary))
