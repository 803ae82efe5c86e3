"""The data dictionary as a text, with what else an export holds."""

from __future__ import annotations

from gazeapp.engine.gaze.scanpaths.measures import MEASURES as SCANPATH_MEASURES
from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.maps.measures import MEASURES as MAP_MEASURES
from gazeapp.engine.reports.dictionary import TABLES
from gazeapp.engine.reports.mixed_models import mixed_model_code
from gazeapp.engine.scoring.ceilings.from_maps import MIN_SUBJECTS_TO_LEAVE_ONE_OUT as _FEWEST
from gazeapp.engine.scoring.facts import ESTIMATORS


def dictionary_text() -> str:
    """Return the data dictionary as Markdown; docs/exports.md is this text."""
    parts = [_INTRODUCTION]
    for table in TABLES:
        parts.append(
            f"## {table.name}\n\nA row is {table.row}.\n\n| column | kind | unit | meaning |\n|---|---|---|---|\n"
        )
        parts += [f"| `{c.name}` | {c.kind} | {c.unit} | {c.meaning} |\n" for c in table.columns]
        parts.append("\n")
    parts.append(_ids_of_measures())
    return "".join(parts).rstrip() + "\n"


def _ids_of_measures() -> str:
    """Return the ids of measures.csv and findings.csv that are no metrics, in words."""
    rows = [(one.id, one.name, one.unit, one.meaning) for one in MAP_MEASURES.values()]
    rows += [(one.id, one.name, one.unit, one.meaning) for one in SCANPATH_MEASURES.values()]
    known = {row[0] for row in rows}
    rows += [(one.id, one.name, one.unit, one.meaning) for one in OUTCOMES.values() if one.id not in known]
    listed = "".join(f"| `{id}` | {name} | {unit} | {meaning} |\n" for id, name, unit, meaning in rows)
    return (
        "## Ids of measures\n\n"
        "In `measure` of measures.csv and `metric` of findings.csv. With `_matched` behind it a measure of "
        "concentration is of a map of as many fixations as people made, drawn from the map. `score_drop:` and the "
        "id of a metric is the score of the intact map minus that of the map under a lesion. Ids of metrics are those "
        "of the methods (docs/methods.md).\n\n"
        f"| id | name | unit | meaning |\n|---|---|---|---|\n{listed}"
    )


_PREDICTED_BY = "\n".join(
    f"| `{id}` | {ESTIMATORS[id]} |" for id in ("loso_mixture", "loso_extrapolated", "all_mixture")
)
_INTRODUCTION = f"""# What `gazeapp export` writes

`gazeapp export study.gaze -o DIR` writes the tables below, `maps.npz`, the folders `figures`, `overlays` and `masks`,
and `provenance.json` into `DIR`. Files of these names are replaced one by one, each in one step; other files
in the folder are not touched.

**Tables** are UTF-8 CSV with commas, a header line and `\\n` line ends, always in the same order of rows.
Numbers have as many digits as give exactly the same number back. A missing value is an empty cell.
Flags are `true` or `false`. New columns may be added at the end of a table; names do not change.

**Text never becomes a formula.** A text cell whose first character is one of `=` `+` `-` `@` (or their
wide forms), a tab, a line break or an apostrophe gets an apostrophe in front of it. Numbers are left as
they are. To get the text back, take off one leading apostrophe, in Python
`text.removeprefix("'")`, in R `sub("^'", "", text)`. What a model wrote stays as it wrote it, other control
characters included; only NUL, which many readers cannot take, is U+FFFD.

**Both eyes.** A fixation counts as read once, with the eye that it is of. The mean of both eyes, which gazeapp
computes, is no fixation that was read: its rows stand in fixations.csv (eye `average`) only in trials that
use it, and the fixations of the left and the right eye are `other eye` there. So in every trial the rows with
another eye than `average` are trials.csv's `n_fixations`, the rows that are kept its `n_kept` and
quality.csv's `n_fixations`, and the rows of the eye in use quality.csv's `n_recorded`. Averages that a file
itself has count as read in trials that hold nothing else.

**maps.npz** holds the maps on the models' own grids; open it with
`numpy.load("maps.npz", allow_pickle=False)`. Each array is named in `maps.csv`, with the rectangle of the
image that it covers (of the mirrored image where `lesion` is `mirrored`): `run_N_mean` (rows, columns) is the
map of the whole caption of run N, `run_N_words` (words, rows, columns) has one map for each word in the order of
`words.csv`, `human_I_T` is the human map of image number I under task number T. All are float32, row 0 is the
top, and every map sums to 1.

**attention.npz** is written where vision-language models are in the project. `run_N_mass` (words, layers, heads) is the
share of each word's attention that fell on the image; attention.csv has its mean over the words. Where
maps of layers or heads were kept (`gazeapp extract --keep`), `run_N_layer_maps` (words, layers, heads or 1, rows,
columns) has them on the grid of the words' maps, each summing to that share. `maps.csv` names both arrays and the
layers in them. Without such models the file is not written; provenance.json names it when it was.

**Lesions.** lesions.csv has a row for every image from which a part was taken away and for every control of that,
beside the intact run (`run`); what the outcomes are is in docs/methods/neglect.md. The same runs stand behind the
intact ones in runs.csv and their scores in scores.csv, with what was taken away in `lesion`: take rows with an empty
`lesion` for the study without lesions. **lesion_maps.npz** holds their maps, one array for each size of grid:
`numpy.load("lesion_maps.npz")["lesion_14x14"][i]` is the map whose row of lesions.csv has `map_key` lesion_14x14
and `map_index` i. **masks** holds the masks of the library as grey PNG files, a folder for each mask, which
`gazeapp import-masks` reads back to the byte; signs that no file name may have are `%` and their number there.
Masks that follow from their name, such as `left 30%`, have no files. Without lesions or masks neither the archive nor
the folder is written; provenance.json names what was.

**Brain responses.** encoding.csv has every number about how well maps predict responses (docs/neural.md), responses.csv
and regions.csv what they are about. **encoding_predictions.npz** holds, for each row of encoding_models.csv, what was
predicted of images that were held out: `KEY_predictions` and `KEY_observed` (images, regions), both as deviations from
the mean response over these images, `KEY_means` (regions; add it for responses in their unit), `KEY_fold`,
`KEY_regions` (groups begin with `group:`) and `KEY_images`, with `KEY` of that row. **vertex_scores.npz** holds the
correlation at each vertex of fsaverage5 (20,484, left hemisphere first), and the folder **cortex** the same as a GIFTI
file for each hemisphere. Without encoding models none of these is written. Responses themselves are not exported: they
are the user's own, and their files are where they were.

**figures** holds what the study shows as SVG, one folder for each preset, `lesions`, and `neural` with a folder for
each set of responses (the cortex there as PNG): the figures of the report, with text as text, and those of the metrics
that the report has no room for. A figure without anything to show is not written; provenance.json names those that
were, so that one of an earlier export is told from them.

**Mixed models.** scores_by_subject.csv has one row for each person, image, task and source, so that people and
images can both be random effects. In R, here for several tasks and crossed encoders and decoders (when to use
which: docs/methods/statistics.md; the report has the lines that fit the study):

```r
{mixed_model_code("tuebingen", "nss")}
```

**Which metrics single people have.** The fixations of one person have NSS, AUC, AUC-Borji, sAUC, IG and LL, means over
them, and CC with the person's own map, as far as these were scored. Absent are AUC-Judd, SIM, KL, EMD and
Spearman, which depend on the number of fixations, so that one person's are not comparable with everybody's. The MIT
preset has NSS and CC alone, because its AUCs and IG follow conventions for all fixations together. A
constant map, such as `uniform`, has only IG and LL. Images that fewer than {_FEWEST} people looked at have no rows.
Rows with `source_kind` `human` say how well a person's fixations are predicted by people, in
`model`:

| model | who predicts |
|---|---|
{_PREDICTED_BY}

**overlays** holds each image with each map on it as PNG, the longer side 384 px, colour map viridis.
All maps of one image and task share one scale, from 0 to the 99.5th percentile of their values. Maps of the
mirrored image are drawn on the mirrored image.

**provenance.json** holds the project's name, whether its recordings are simulated, every settings row
(verb, values, versions of the libraries, hash; files are named without their folders), the versions that
wrote the export, one fingerprint of all images and recordings, and the SHA-256 of every table, every figure,
every mask and the archives.

"""
