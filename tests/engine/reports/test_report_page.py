import json
import re
import shlex
from html.parser import HTMLParser

import pytest

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import CHOICES, GEOMETRY
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.render import render
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.marking import choose_fixations
from gazeapp.engine.workflows.report import ReportSettings, report
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.engine.conftest import MODELS

HOSTILE = '<script>alert("x")</script><img src=https://evil.example/a.png onerror=x>.png'
VOID = {"meta", "img", "br", "line", "path", "circle", "rect", "input", "link"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that what is opened is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(html)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"[ \n\u00a0]+", " ", " ".join(self.words))

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


@pytest.fixture
def page(study, tmp_path):
    def build(**options):
        output = tmp_path / "report.html"
        with Project.open(study(**options)) as project:
            report(project, ReportSettings(str(output), n_examples=2), SILENT)
        return output.read_text(encoding="utf-8")

    return build


def test_a_hostile_image_name_and_caption_are_shown_as_text(page):
    html = page(hostile=HOSTILE, n_images=2, tasks=("free",))
    parsed = Page(html)
    assert "script" not in parsed.tags
    assert "onerror" not in {name for _, name, _ in parsed.attributes}
    assert HOSTILE in parsed.text
    assert HOSTILE in " ".join(parsed.values("alt"))


def test_the_page_needs_nothing_from_anywhere(page):
    html = page(n_images=2, tasks=("free",))
    parsed = Page(html)
    assert {"script", "link", "iframe", "object", "base"}.isdisjoint(parsed.tags)
    kinds = ("data:image/jpeg;base64,", "data:image/svg+xml;base64,")
    assert all(source.startswith(kinds) for source in parsed.values("src"))
    assert all(target.startswith("#") for target in parsed.values("href"))
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in " ".join(parsed.values("content"))


def test_the_contents_lead_to_every_section(page):
    parsed = Page(page(n_images=2, tasks=("free",)))
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in parsed.values("href")} <= set(ids)
    assert {"results", "data", "models", "scores", "gallery", "methods", "problems", "reproduce"} <= set(ids)


def test_the_printed_scores_are_those_of_the_project(study, tmp_path):
    with Project.open(study(n_images=6, models=MODELS[:1])) as project:
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
        rows = [row for row in project.scores.summary() if row.metric == "nss" and row.source == "cnn-lstm"]
        assert len(rows) == 2
        for row in rows:
            assert f"{row.mean:.2f} {row.percent:.0f} % [{row.ci_low:.0f}, {row.ci_high:.0f}]" in text
        chances = [row.chance for row in project.scores.summary() if row.metric == "auc"]
        assert set(chances) == {0.5}
        assert "0.500" in text


def test_pairs_of_models_are_compared_on_the_same_images(study):
    with Project.open(study(tasks=("free",))) as project:
        content = gather(project, "tuebingen", "r.html")
        values = {
            model: [r.value for r in project.scores.all() if (r.metric, r.source) == ("nss", model)]
            for model in ("cnn-lstm", "vit-lstm")
        }
    pairs = {(pair.first, pair.second): pair for pair in content.scores[0].pairs}
    assert len(pairs) == 3
    pair = pairs["CNN-LSTM", "ViT-LSTM"]
    mean = sum(a - b for a, b in zip(values["cnn-lstm"], values["vit-lstm"], strict=True)) / 4
    assert pair.mean == pytest.approx(mean)
    assert pair.n_images == 4
    # All differences have one sign: 2 of the 16 patterns are as extreme.
    assert pair.p == pytest.approx(2 / 16)


def test_simulated_recordings_are_called_simulated_and_real_ones_are_not(page):
    assert Page(page(simulated=True, n_images=2, tasks=("free",))).text.lower().count("simulated") > 5


def test_real_recordings_are_not_called_simulated(page):
    assert "simulated" not in Page(page(simulated=False, n_images=2, tasks=("free",))).text.lower()


def test_images_outside_what_models_were_trained_on_are_named_first(page):
    text = Page(page(origin="photograph", n_images=2, tasks=("free",))).text
    note = "2 of 2 images are photographs, but CNN-LSTM, CNN-Transformer and ViT-LSTM were trained on drawn scenes"
    assert note in text
    assert text.index(note) < text.index("Recordings")


def test_images_like_those_of_the_training_need_no_note(page):
    assert "outside its training" not in Page(page(origin="demo-world", n_images=2, tasks=("free",))).text


def test_what_was_dropped_is_counted_with_its_reason(page):
    text = Page(page(scored=False)).text
    assert "1 no matching image" in text
    assert "40 outside image" in text
    assert "240 used of 281 read" in text


def test_a_project_without_anything_still_gives_a_page(tmp_path):
    with Project.create(tmp_path / "empty.gaze") as project:
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    assert "The project has no images yet" in text
    assert "No model has been run yet." in text


def test_a_project_without_scores_says_how_to_get_them(study):
    with Project.open(study(scored=False)) as project:
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    assert "run gazeapp score" in text
    assert "240 used of 281 read" in text


def test_the_commands_make_the_study_again(study):
    with Project.open(study()) as project:
        commands = gather(project, "tuebingen", "/home/someone/my report.html").commands
    assert commands[0] == "gazeapp new study.gaze --images images --task general --task social"
    assert "gazeapp import-gaze study.gaze fixations.csv --format csv --simulated" in commands
    assert "gazeapp choose-fixations study.gaze --sigma 6px" in commands
    assert (
        "gazeapp extract study.gaze --model cnn-lstm --model cnn-transformer --model vit-lstm --task general "
        "--task social --method raw" in commands
    )
    assert "gazeapp score study.gaze --sigma 6px" in commands
    assert commands[-1] == "gazeapp report study.gaze -o 'my report.html'"
    assert not any("someone" in command for command in commands)


def test_the_commands_say_how_files_were_read_and_which_fixations_are_used(study):
    with Project.open(study(n_images=1, tasks=("free",), simulated=False, scored=False)) as project:
        reading = project.settings.get(project.gaze.recordings()[0].settings_id).values
        reading["rules"]["start"] = "^TRIAL (.*)"
        reading["match"] = {"names": {"a": "scene-001.png"}, "order": []}
        reading |= {"detect": True, "detection": {"method": "ivt", "velocity_deg_s": 40.0}}
        settings_id = project.settings.put("read recording", reading)
        project.db.execute("UPDATE recordings SET settings_id = ?", (settings_id,))
        project.gaze.set_geometry(1, Geometry(placement="own size", screen=(800, 600)).as_json())
        project.settings.set_current(GEOMETRY, Geometry(distance_cm=57.5).as_json())
        choices = GazeChoices("left", "drop", 60.0, None, "clamp", "duration", 1.0, "deg")
        project.settings.set_current(CHOICES, choices.as_json())
        commands = gather(project, "tuebingen", "r.html").commands
    assert commands[1:4] == (
        "gazeapp set-geometry study.gaze --distance-cm 57.5",
        "gazeapp import-gaze study.gaze fixations.csv --format csv --trial-pattern '^TRIAL (.*)' "
        "--match a=scene-001.png --from-samples --method ivt --velocity 40.0 --screen 800 600 --placement 'own size'",
        "gazeapp choose-fixations study.gaze --eye left --first drop --min-duration 60.0 --outside clamp "
        "--weighting duration --sigma 1deg",
    )


def test_the_commands_are_understood(study):
    from click.testing import CliRunner

    from gazeapp.cli import main

    with Project.open(study(n_images=1, tasks=("free",))) as project:
        project.settings.set_current(GEOMETRY, Geometry(screen=(800, 600), px_per_deg=30.0).as_json())
        commands = gather(project, "tuebingen", "r.html").commands
    for command in commands:
        _, verb, *words = shlex.split(command)
        # The help is printed only when every option before it was read.
        found = CliRunner().invoke(main, [verb, *words, "--help"])
        assert found.exit_code == 0, command
        options = {word for word in words if word.startswith("--")}
        assert all(option in found.output for option in options), command


def test_recordings_say_eye_choices_and_how_fixations_came_about(study):
    note = "Fixations were found in the samples by I-VT (velocity below 30 deg/s), at 500 Hz."
    with Project.open(study(n_images=1, tasks=("free",))) as project:
        facts = {
            "notes": ["The clock ran backwards.", note],
            "dropped": {"outside image": 3, "no subject": 2},
        }
        frame = {"of": "screen", "unit": "px"}
        project.db.execute(
            "UPDATE recordings SET facts = ?, frame = ?", (json.dumps(facts), json.dumps(frame))
        )
        project.gaze.set_geometry(1, Geometry(screen=(800, 600), distance_cm=57.0).as_json())
        project.gaze.change_trials({1: {"shift": (2.0, 3.0), "eye": "right"}})
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    choices = (
        "ixations of the better recorded eye, the first of each trial kept, those outside the image left out, "
        "equal weights."
    )
    assert f"Choices F{choices}" in text
    assert f"Choices: f{choices} {note}" in text
    assert "left (4 trials), right (1 trial) and unknown (1 trial)" in text
    assert "Moved by hand 1 trial, each as a whole" in text
    assert "Rows that fit no trial 2 no subject" in text
    assert "Screen, px 800 × 600" in text
    assert "Who says so screen: user; distance: user" in text
    assert "Notes The clock ran backwards." in text


def test_weights_and_a_sigma_in_degrees_are_in_the_methods(study):
    with Project.open(study(n_images=2, tasks=("free",), scored=False)) as project:
        project.gaze.set_geometry(1, Geometry(px_per_deg=12.0).as_json())
        choices = GazeChoices(weighting="duration", sigma=0.5, sigma_unit="deg")
        choose_fixations(project, choices, SILENT)
        score(project, ScoreSettings(n_splits=4, n_bootstrap=20, threads=1), SILENT)
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    assert "standard deviation 0.5 deg, 6.0 px of the image" in text
    assert "so that every fixation weighs as much as it lasted, d f ms" in text
    assert "NSS, AUC, sAUC and IG, with theirs, count every fixation the same" in text


def test_problems_are_listed_with_what_to_do(study):
    with Project.open(study(scored=False)) as project:
        project.problems.add("add images", "bad.png", "The picture is damaged.", "Copy it again.")
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    assert "bad.png The picture is damaged. Copy it again." in text


def test_fixations_that_match_no_image_are_not_passed_over(study):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        project.db.execute("UPDATE trials SET image_id = NULL")
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
    assert "36 fixations read, but none lies on an image of the project" in text
    assert "31 no matching image" in text


def test_many_recordings_are_folded(study):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        for number in range(2, 40):
            project.db.execute(
                "INSERT INTO recordings SELECT ?, ? || file, sha256, format, confidence, task, facts, simulated, "
                "settings_id, created, frame, geometry FROM recordings WHERE id = 1",
                (number, number),
            )
        parsed = Page(render(gather(project, "tuebingen", "r.html")))
    assert "39 files" in parsed.text


def test_a_model_without_some_images_is_held_against_the_ceiling_of_those_it_has(study):
    with Project.open(study(tasks=("free",), models=(("cnn-lstm", "CNN-LSTM"),), scored=False)) as project:
        project.db.execute("DELETE FROM runs WHERE model = 'cnn-lstm' AND image_id > 2")
        score(project, ScoreSettings(sigma=6.0, n_splits=10, n_bootstrap=200, threads=1), SILENT)
        text = Page(render(gather(project, "tuebingen", "r.html"))).text
        rows = {row.source: row for row in project.scores.summary() if row.metric == "nss"}
    few, all_images = rows["cnn-lstm"], rows["centre_bias"]
    assert (few.n_images, all_images.n_images) == (2, 4)
    assert f"{few.ceiling:.2f}" != f"{all_images.ceiling:.2f}"
    assert f"(NSS {few.mean:.2f} of {few.ceiling:.2f}; 5 people, 2 images)" in text
    assert "Not all were scored on the same images: CNN-LSTM on 2 images;" in text
    assert "Not all sources have the same images" in text


def test_a_study_without_findings_has_no_sections_about_them(study):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        parsed = Page(render(gather(project, "tuebingen", "r.html")))
    assert {"differences", "factorial", "concentration", "observers"}.isdisjoint(parsed.values("id"))


def test_findings_have_sections_with_their_numbers_and_are_escaped(study):
    shift = Finding(
        *("laterality", "free", "laterality", "people", "", -0.123, -0.2, -0.05),
        p=0.004,
        p_holm=0.008,
        n_images=4,
        n_subjects=5,
        note=HOSTILE,
        kind="human",
    )
    effect = Finding(
        *("factorial", "free", "nss", "decoder", "transformer - lstm", 0.345, 0.2, 0.5),
        unit="standard deviations",
        p=0.0001,
        p_holm=0.0003,
        effect=1.23,
        n_images=4,
        n_subjects=5,
    )
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        settings_id = project.settings.put("score", {"primary": "nss"})
        project.findings.put_findings(["laterality"], "", [shift], settings_id)
        project.findings.put_findings(["factorial"], "tuebingen", [effect], settings_id)
        parsed = Page(render(gather(project, "tuebingen", "r.html")))
    assert {"laterality", "factorial"} <= set(parsed.values("id"))
    assert {"#laterality", "#factorial"} <= set(parsed.values("href"))
    assert "concentration" not in parsed.values("id")
    text = parsed.text
    assert "People (−0.123 [−0.200, −0.050], p = 0.008) lie to the left" in text
    assert (
        "Transformer decoders score above LSTM decoders (difference 0.34 [0.20, 0.50] standard deviations (NSS), "
        "p < 0.001)" in text
    )
    assert "Decoder: Transformer − LSTM 0.34 [0.20, 0.50] 1.23 < 0.001 < 0.001 4 5" in text
    assert "LI = (R − L) / (R + L)" in text
    assert "script" not in parsed.tags
    assert HOSTILE in " ".join(parsed.values("title"))
    drawn = [source for source in parsed.values("src") if source.startswith("data:image/svg+xml;base64,")]
    assert len(drawn) == 2


def test_the_commands_name_what_was_declared_and_every_analysis(study):
    found = Finding("factorial", "free", "nss", "decoder", "transformer - lstm", 0.3)
    alike = Finding("scanpath", "free", "dtw", "people", estimate=0.3, kind="human")
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        values = {"preset": "tuebingen", "metrics": ["nss", "auc"], "primary": "auc", "transform": "density"}
        project.findings.put_findings(
            ["factorial"], "tuebingen", [found], project.settings.put("score", values)
        )
        settings_id = project.settings.put("compare scanpaths", {"measures": ["dtw", "scanmatch"]})
        project.findings.put_findings(["scanpath"], "", [alike], settings_id)
        content = gather(project, "tuebingen", "r.html")
    assert (
        "gazeapp score study.gaze --metric nss --metric auc --primary auc --transform density"
        in content.commands
    )
    assert "gazeapp scanpaths study.gaze --measure dtw --measure scanmatch" in content.commands
    assert {"score", "compare scanpaths"} <= {row.verb for row in content.settings}
