import hashlib
from dataclasses import replace

from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.reports.commands import image_folder
from gazeapp.engine.reports.dataset import data_set
from gazeapp.engine.reports.plain import flat, plain


def test_nested_facts_become_rows_with_plain_values():
    facts = {
        "grid": [8, 8],
        "empty": "",
        "training": {"steps": 4000, "rate": 0.001, "n_scenes": 64000},
        "figures": {"n_test": 1000, "exact": {"general": 0.994}},
    }
    assert list(flat(facts)) == [
        ("grid", "8 × 8"),
        ("training", "steps 4000, rate 0.001, n scenes 64,000"),
        ("figures · n test", "1000"),
        ("figures · exact", "general 0.994"),
    ]


def test_values_are_written_as_a_reader_wants_them():
    assert plain(True) == "yes"
    assert plain(500.0) == "500"
    assert plain(0.123456) == "0.1235"
    assert plain([1, 2, 3]) == "1, 2 and 3"


def test_the_fingerprint_is_the_hash_of_the_sorted_lines(study):
    with Project.open(study(n_images=2, scored=False)) as project:
        data = data_set(project)
        lines = [f"{image.sha256} {image.name}" for image in project.images.all()]
    lines.append(f"{'ab' * 32} fixations.csv")
    assert data.fingerprint == hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def test_counts_of_a_task_are_those_of_its_kept_fixations(study):
    with Project.open(study(n_images=3, n_subjects=4, scored=False)) as project:
        data = data_set(project)
        kept = project.gaze.counts()
    (general, social) = data.tasks
    assert general.n_fixations == sum(n for (_, task), n in kept.items() if task == "general") == 3 * 4 * 6
    assert (general.n_images, general.n_subjects, general.n_trials, general.median_fixations) == (
        3,
        4,
        12,
        6.0,
    )
    assert data.n_kept == general.n_fixations + social.n_fixations
    assert data.n_read == data.n_kept + 3 * 4 * 2 + 1


def test_the_folder_of_the_images_is_named_but_not_where_the_user_keeps_it(study):
    with Project.open(study(n_images=2, scored=False)) as project:
        assert image_folder(project) == "images"
        project.db.execute("UPDATE images SET path = 'pictures/a/' || name WHERE id = 1")
        project.db.execute("UPDATE images SET path = 'pictures/b/' || name WHERE id = 2")
        assert image_folder(project) == "pictures"
        project.db.execute("UPDATE images SET path = '../../someone/photos/' || name")
        assert image_folder(project) == "photos"


def add_trial(project, trial, fixations):
    """Store a trial of the study's recording with fixations: x, y and why each is not used."""
    kept = sum(not dropped for *_, dropped in fixations)
    trial = replace(trial, n_fixations=len(fixations), n_kept=kept)
    (trial_id,) = project.gaze.add_trials(1, [trial])
    project.gaze.add_fixations(
        FixationRow(trial_id, k, k, x, y, None, None, "", "", dropped)
        for k, (x, y, dropped) in enumerate(fixations, start=1)
    )


def test_who_has_no_used_fixation_on_an_image_is_not_counted_as_a_subject(study):
    with Project.open(study(n_images=2, n_subjects=3, scored=False)) as project:
        for name, image_id, dropped in (("away", None, ""), ("beside", 1, "outside image")):
            add_trial(project, NewTrial(name, "general", image_id, "", ""), [(5.0, 5.0, dropped)])
        data = data_set(project)
    assert (data.n_subjects, data.n_others) == (3, 2)
    assert [task.n_subjects for task in data.tasks] == [3, 3]


def test_a_screen_is_named_only_when_a_used_fixation_was_recorded_on_one(study):
    with Project.open(study(n_images=2, scored=False)) as project:
        assert not data_set(project).from_screen
        trial = NewTrial("S01", "general", 1, "", "", (0.0, 0.0, 240.0, 180.0))
        add_trial(project, trial, [(900.0, 5.0, "outside image")])
        assert not data_set(project).from_screen
        add_trial(project, trial, [(10.0, 5.0, "")])
        assert data_set(project).from_screen
