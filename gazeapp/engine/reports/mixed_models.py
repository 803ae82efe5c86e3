"""R code for linear mixed models of the scores by single people, fitted to what a study has."""

from __future__ import annotations


def mixed_model_code(
    preset: str, metric: str, *, models: bool = True, tasks: bool = True, crossed: bool = True
) -> str:
    """Return R code that reads ``scores_by_subject.csv`` and fits linear mixed models with lme4.

    All columns are read as text: R takes a column without any text, such as ``lesion`` of a study without lesions,
    for missing flags, and a comparison with it selects no rows; subjects called 1 and 01 would become one.

    Parameters
    ----------
    preset, metric
        Whose scores are analysed.
    models, tasks
        Whether there are several models and several tasks; one alone has no effect.
    crossed
        Whether models differ in encoder and in decoder.

    Returns
    -------
    str
        Lines of R without a line break at the end; empty where the study has no factor.
    """
    factors = " * ".join(name for name, several in (("model", models), ("task", tasks)) if several)
    if not factors and not crossed:
        return ""
    lines = [
        "library(lme4)",
        "library(lmerTest)   # p values by Satterthwaite's method",
        'd <- read.csv("scores_by_subject.csv", colClasses = "character", na.strings = character())',
        "d$value <- as.numeric(d$value)",
        "d$n_fixations <- as.numeric(d$n_fixations)",
        f'd <- subset(d, preset == "{preset}" & metric == "{metric}" & source_kind == "model" & lesion == ""'
        " & !is.na(value))",
        'd <- subset(d, !grepl("@given", method, fixed = TRUE))   # maps along captions of the models\' own',
        'options(contrasts = c("contr.sum", "contr.poly"))   # main effects are averages over the other factors',
        "d <- transform(d, model = factor(model), task = factor(task), image = factor(image),"
        " subject = factor(subject))",
    ]
    if factors:
        lines += ["", f"# {_question(models, tasks)}", *_model("m1", factors, "d")]
    if crossed:
        factors = "encoder * decoder * task" if tasks else "encoder * decoder"
        lines += [
            "",
            "# What do encoder and decoder contribute? (rows of models that have both)",
            'e <- droplevels(subset(d, encoder != "" & decoder != ""))',
            "e <- transform(e, encoder = factor(encoder), decoder = factor(decoder))",
            *_model("m2", factors, "e"),
        ]
    return "\n".join(lines)


def _question(models: bool, tasks: bool) -> str:
    if models and tasks:
        return "Do models differ, and does the task change that?"
    return "Do models differ?" if models else "Does the task change the scores?"


def _model(name: str, factors: str, data: str) -> list[str]:
    return [
        f"{name} <- lmer(value ~ {factors} + (1 | image) + (1 | subject), data = {data})",
        f"anova({name})",
    ]
