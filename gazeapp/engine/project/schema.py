"""Tables of the project file, and the steps from each version to the next."""

from __future__ import annotations

APPLICATION_ID = 0x67617A65
"""Spells ``gaze``; written into the SQLite header so that other databases are told apart."""

# WITHOUT ROWID only where the primary key's columns come first and in order: SQLite before 3.42 reports
# "NULL value" from its integrity check in other tables of that kind though nothing is wrong with them.
_VERSION_1 = """
CREATE TABLE settings (
    id INTEGER PRIMARY KEY,
    verb TEXT NOT NULL,
    json TEXT NOT NULL,
    versions TEXT NOT NULL,
    hash TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (hash, versions)
);
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    place TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    origin TEXT NOT NULL DEFAULT 'photograph'
);
CREATE INDEX images_sha256 ON images (sha256);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE recordings (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    format TEXT NOT NULL,
    confidence REAL NOT NULL,
    task TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL,
    simulated INTEGER NOT NULL DEFAULT 0,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    created TEXT NOT NULL
);
CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    recording_id INTEGER NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    subject_id INTEGER NOT NULL REFERENCES subjects (id),
    image_id INTEGER REFERENCES images (id),
    task_id INTEGER REFERENCES tasks (id),
    label TEXT NOT NULL DEFAULT '',
    image_name TEXT NOT NULL DEFAULT '',
    offset_x REAL,
    offset_y REAL,
    shown_width REAL,
    shown_height REAL
);
CREATE INDEX trials_image ON trials (image_id, task_id);
CREATE INDEX trials_recording ON trials (recording_id);
CREATE TABLE fixations (
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    x REAL,
    y REAL,
    start_ms REAL,
    duration_ms REAL,
    eye TEXT NOT NULL DEFAULT '',
    dropped TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (trial_id, position)
) WITHOUT ROWID;
CREATE TABLE models (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    encoder TEXT NOT NULL DEFAULT '',
    decoder TEXT NOT NULL DEFAULT '',
    checkpoint TEXT NOT NULL DEFAULT '',
    revision TEXT NOT NULL DEFAULT '',
    domain TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    model TEXT NOT NULL REFERENCES models (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    lesion TEXT NOT NULL DEFAULT '',
    method TEXT NOT NULL,
    caption TEXT NOT NULL,
    model_task TEXT NOT NULL,
    log_probability REAL,
    seconds REAL NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    UNIQUE (image_id, model, task_id, lesion, method, settings_hash)
);
CREATE INDEX runs_model ON runs (model, task_id);
CREATE TABLE words (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    log_probability REAL NOT NULL,
    is_content INTEGER NOT NULL,
    image_mass REAL NOT NULL,
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
CREATE TABLE maps (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('run', 'human')),
    run_id INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    image_id INTEGER REFERENCES images (id),
    task_id INTEGER REFERENCES tasks (id),
    word INTEGER NOT NULL DEFAULT -1,
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    peak REAL NOT NULL,
    data BLOB NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    CHECK ((kind = 'run') = (run_id IS NOT NULL)),
    CHECK ((kind = 'human') = (image_id IS NOT NULL AND task_id IS NOT NULL))
);
CREATE UNIQUE INDEX maps_run ON maps (run_id, word) WHERE kind = 'run';
CREATE UNIQUE INDEX maps_human ON maps (image_id, task_id) WHERE kind = 'human';
CREATE TABLE scores (
    image_id INTEGER NOT NULL REFERENCES images (id),
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    method TEXT NOT NULL DEFAULT '',
    lesion TEXT NOT NULL DEFAULT '',
    metric TEXT NOT NULL,
    preset TEXT NOT NULL,
    value REAL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    inputs_hash TEXT NOT NULL,
    PRIMARY KEY (image_id, task_id, settings_hash, source_kind, source, method, lesion, metric)
);
CREATE TABLE ceilings (
    image_id INTEGER NOT NULL REFERENCES images (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    metric TEXT NOT NULL,
    preset TEXT NOT NULL,
    estimator TEXT NOT NULL,
    value REAL,
    n_subjects INTEGER NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    inputs_hash TEXT NOT NULL,
    PRIMARY KEY (image_id, task_id, settings_hash, metric, estimator)
);
CREATE TABLE people_parts (
    image_id INTEGER NOT NULL REFERENCES images (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    settings_hash TEXT NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    subjects TEXT NOT NULL,
    columns TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (image_id, task_id, settings_hash)
);
CREATE TABLE summary (
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    method TEXT NOT NULL DEFAULT '',
    lesion TEXT NOT NULL DEFAULT '',
    metric TEXT NOT NULL,
    preset TEXT NOT NULL,
    n_images INTEGER NOT NULL,
    n_subjects INTEGER NOT NULL,
    mean REAL,
    ceiling REAL,
    estimator TEXT NOT NULL DEFAULT '',
    chance REAL,
    percent REAL,
    ci_low REAL,
    ci_high REAL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    PRIMARY KEY (settings_hash, source_kind, source, task_id, method, lesion, metric)
);
CREATE TABLE problems (
    id INTEGER PRIMARY KEY,
    verb TEXT NOT NULL,
    unit TEXT NOT NULL,
    place TEXT NOT NULL,
    what TEXT NOT NULL,
    todo TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (verb, unit, what)
);
"""

# Fixations get their number in the trial and eye beside the place they are stored at, and what made them
# unusable as read beside the reason of the present choices, so that a choice can be taken back.
_VERSION_2 = """
CREATE TABLE current (
    name TEXT PRIMARY KEY,
    settings_id INTEGER NOT NULL REFERENCES settings (id)
) WITHOUT ROWID;
ALTER TABLE recordings ADD COLUMN frame TEXT NOT NULL DEFAULT '{}';
ALTER TABLE recordings ADD COLUMN geometry TEXT NOT NULL DEFAULT '{}';
ALTER TABLE trials ADD COLUMN placement TEXT NOT NULL DEFAULT '';
ALTER TABLE trials ADD COLUMN shift_x REAL NOT NULL DEFAULT 0;
ALTER TABLE trials ADD COLUMN shift_y REAL NOT NULL DEFAULT 0;
ALTER TABLE trials ADD COLUMN eye TEXT NOT NULL DEFAULT '';
ALTER TABLE trials ADD COLUMN quality TEXT NOT NULL DEFAULT '{}';
ALTER TABLE trials ADD COLUMN n_fixations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trials ADD COLUMN n_kept INTEGER NOT NULL DEFAULT 0;
CREATE TABLE marked_fixations (
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    x REAL,
    y REAL,
    start_ms REAL,
    duration_ms REAL,
    eye TEXT NOT NULL DEFAULT '',
    unusable TEXT NOT NULL DEFAULT '',
    dropped TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (trial_id, position)
) WITHOUT ROWID;
INSERT INTO marked_fixations
    SELECT trial_id, position, position, x, y, start_ms, duration_ms, eye,
        CASE WHEN dropped = 'no position' OR x IS NULL OR y IS NULL THEN 'no position' ELSE '' END, dropped
    FROM fixations ORDER BY trial_id, position;
DROP TABLE fixations;
ALTER TABLE marked_fixations RENAME TO fixations;
UPDATE recordings SET frame = json_object('of', coalesce(json_extract(facts, '$.space'), 'image'), 'unit', 'px');
UPDATE trials SET
    placement = CASE WHEN shown_width IS NULL THEN '' ELSE json_object('anchor', 'top_left', 'x', offset_x,
        'y', offset_y, 'width', shown_width, 'height', shown_height) END,
    n_fixations = (SELECT count(*) FROM fixations f WHERE f.trial_id = trials.id),
    n_kept = (SELECT count(*) FROM fixations f WHERE f.trial_id = trials.id AND f.dropped = ''),
    eye = coalesce((SELECT f.eye FROM fixations f WHERE f.trial_id = trials.id AND f.dropped != 'other eye'
        LIMIT 1), '');
"""

# Scores of each person's own fixations, what maps are like without any comparison, and what a whole study shows.
_VERSION_3 = """
CREATE TABLE subject_scores (
    image_id INTEGER NOT NULL REFERENCES images (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    settings_hash TEXT NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    subjects TEXT NOT NULL,
    n_fixations TEXT NOT NULL,
    columns TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (image_id, task_id, settings_hash)
);
CREATE TABLE measures (
    image_id INTEGER NOT NULL REFERENCES images (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    settings_hash TEXT NOT NULL,
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    method TEXT NOT NULL DEFAULT '',
    lesion TEXT NOT NULL DEFAULT '',
    measure TEXT NOT NULL,
    against TEXT NOT NULL DEFAULT '',
    value REAL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    PRIMARY KEY (image_id, task_id, settings_hash, source_kind, source, method, lesion, measure, against)
);
CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    analysis TEXT NOT NULL,
    task_id INTEGER REFERENCES tasks (id),
    metric TEXT NOT NULL,
    preset TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    term TEXT NOT NULL,
    against TEXT NOT NULL DEFAULT '',
    estimate REAL,
    ci_low REAL,
    ci_high REAL,
    unit TEXT NOT NULL DEFAULT '',
    p REAL,
    p_holm REAL,
    effect REAL,
    n_images INTEGER NOT NULL,
    n_subjects INTEGER NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    settings_id INTEGER NOT NULL REFERENCES settings (id)
);
CREATE INDEX findings_analysis ON findings (analysis, preset);
ALTER TABLE summary ADD COLUMN interval TEXT NOT NULL DEFAULT '';
"""

# What was observed while a model spoke, and its attention by layer and head.
_VERSION_4 = """
ALTER TABLE runs ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
DROP INDEX runs_model;
CREATE INDEX runs_kind ON runs (model, task_id, lesion, method, settings_id);
CREATE TABLE attention (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    layers TEXT NOT NULL,
    n_heads INTEGER NOT NULL,
    image_mass BLOB NOT NULL
);
CREATE TABLE layer_maps (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    word INTEGER NOT NULL,
    n_heads INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    peak REAL NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run_id, word)
);
"""

# Masks, objects, and what models say and attend to when a part of the image is taken away from them. What a lesion
# did belongs to one intact run and goes with it.
_VERSION_5 = """
ALTER TABLE findings ADD COLUMN lesion TEXT NOT NULL DEFAULT '';
CREATE TABLE masks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL
);
CREATE TABLE mask_images (
    mask_id INTEGER NOT NULL REFERENCES masks (id) ON DELETE CASCADE,
    image_id INTEGER NOT NULL REFERENCES images (id),
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    area REAL NOT NULL,
    sha256 TEXT NOT NULL,
    origin TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (mask_id, image_id)
);
CREATE INDEX mask_images_image ON mask_images (image_id);
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    label TEXT NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX objects_image ON objects (image_id);
CREATE TABLE lesion_runs (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    mask TEXT NOT NULL,
    control TEXT NOT NULL,
    draw INTEGER NOT NULL,
    scope TEXT NOT NULL,
    strength REAL NOT NULL,
    mask_sha256 TEXT NOT NULL,
    base_sha256 TEXT NOT NULL,
    objects_sha256 TEXT NOT NULL,
    area REAL NOT NULL,
    caption TEXT NOT NULL,
    words TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    column_count INTEGER NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    peak REAL NOT NULL,
    data BLOB NOT NULL,
    outcomes TEXT NOT NULL,
    seconds REAL NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    UNIQUE (run_id, mask, control, draw, scope, strength, settings_hash)
);
CREATE TABLE lesion_scores (
    lesion_run_id INTEGER NOT NULL REFERENCES lesion_runs (id) ON DELETE CASCADE,
    preset TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    intact REAL,
    inputs_hash TEXT NOT NULL,
    PRIMARY KEY (lesion_run_id, preset, metric)
) WITHOUT ROWID;
"""

# Brain responses to the images, regions of the cortex, and how well maps predict the one in the other. Responses are
# one row for each subject and image, so that no row is larger than a surface; what was found of them goes with them.
# Numbers of runs are never given again, so that they tell maps that were made anew from those that were removed.
_VERSION_6 = """
CREATE TABLE responses (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    simulated INTEGER NOT NULL,
    space TEXT NOT NULL,
    n_targets INTEGER NOT NULL,
    targets TEXT NOT NULL,
    source TEXT NOT NULL,
    ceiling_origin TEXT NOT NULL,
    facts TEXT NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    created TEXT NOT NULL
);
CREATE TABLE response_values (
    responses_id INTEGER NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images (id),
    n_repeats INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (responses_id, subject, image_id)
);
CREATE TABLE response_ceilings (
    responses_id INTEGER NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (responses_id, subject)
);
CREATE TABLE atlases (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    limits TEXT NOT NULL,
    groups TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE regions (
    atlas_id INTEGER NOT NULL REFERENCES atlases (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    hemisphere TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (atlas_id, position)
);
CREATE TABLE encodings (
    id INTEGER PRIMARY KEY,
    responses_id INTEGER NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    atlas TEXT NOT NULL,
    inputs_hash TEXT NOT NULL,
    regions TEXT NOT NULL,
    images TEXT NOT NULL,
    predictions BLOB NOT NULL,
    observed BLOB NOT NULL,
    folds BLOB NOT NULL,
    vertices BLOB,
    facts TEXT NOT NULL,
    seconds REAL NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL,
    UNIQUE (responses_id, subject, task_id, kind, source, atlas, settings_hash)
);
CREATE TABLE neural_findings (
    id INTEGER PRIMARY KEY,
    responses_id INTEGER NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    atlas TEXT NOT NULL,
    analysis TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    against TEXT NOT NULL,
    region TEXT NOT NULL,
    is_group INTEGER NOT NULL,
    measure TEXT NOT NULL,
    estimate REAL,
    ci_low REAL,
    ci_high REAL,
    p REAL,
    p_fdr REAL,
    p_max REAL,
    ceiling REAL,
    n_images INTEGER NOT NULL,
    n_vertices INTEGER NOT NULL,
    note TEXT NOT NULL,
    inputs_hash TEXT NOT NULL,
    settings_id INTEGER NOT NULL REFERENCES settings (id),
    settings_hash TEXT NOT NULL
);
CREATE INDEX neural_findings_of ON neural_findings (responses_id, atlas, analysis, task_id);
CREATE TABLE run_numbers (last INTEGER NOT NULL);
INSERT INTO run_numbers SELECT coalesce(max(id), 0) FROM runs;
CREATE TRIGGER runs_numbered AFTER INSERT ON runs BEGIN
    UPDATE run_numbers SET last = max(last, new.id);
END;
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6)
"""Step k takes a file from version k to k + 1; a published step is never edited."""

SCHEMA_VERSION = len(MIGRATIONS)
