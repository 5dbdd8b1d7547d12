"""Slices by what a variant answered: where the baseline's reply refuses, where an adapter's contains a word.

Their names are made where a reader asks for them and say all that is needed to find the examples again. With greedy decoding an
answer is a property of its example, so that such a slice is a group of examples like any other; a sampled answer is partly chance,
and a group chosen by it leans to that chance (regression to the mean).
"""

from __future__ import annotations

from core.derived import StatisticsReader, example_index
from core.errors import InputError, nearest
from core.lines import IdFilter
from core.store import Run
from core.text_features import TextFeature, answer_languages, answer_rows, feature_from, feature_hits

PREFIX = "answers: "
"""What the names of these slices begin with; the names that datasets give are ``field=value``."""


def answer_slice(task: str, variant: str, feature: TextFeature) -> str:
    """Return the name of the slice of the examples on which a variant's answer has a feature: ``answers: reply/baseline/refusal``."""
    return PREFIX + "/".join(filter(None, (task, variant, feature.kind, feature.argument)))


def is_answer_slice(name: str) -> bool:
    """Tell whether a slice's name is one of `answer_slice`'s, of whatever run."""
    return name.startswith(PREFIX)


def read_answer_slice(run: Run, name: str) -> tuple[str, str, TextFeature]:
    """Return the task, the variant and the feature of a name.

    Raises:
        InputError: the run has no such task or variant, or there is no such feature; with what was expected.
    """
    task, variant, kind, argument = (*name.removeprefix(PREFIX).split("/", 3), "", "", "", "")[:4]
    tasks = [key for key, spec in run.spec.clean_tasks.items() if spec.generates or run.spec.models.imported]
    for found, known, what in (
        (task, tasks, "task with texts as answers"),
        (variant, run.spec.models.variants, "variant"),
    ):
        if found not in known:
            expected = ", ".join(known) or "none"
            raise InputError(
                f"run {run.id}: slice {name!r}: there is no {what} {found!r}{nearest(found, known)}; expected one of {expected}."
            )
    try:
        return task, variant, feature_from(kind, argument)
    except InputError as error:
        raise InputError(f"run {run.id}: slice {name!r}: {error}") from None


def answer_filter(run: Run, name: str) -> IdFilter:
    """Return which examples lie in a slice by answers; those of all tasks over the same dataset.

    An example that was answered several times lies in it where any of its answers has the feature.

    Raises:
        InputError: see `read_answer_slice` and `core.text_features.feature_hits`.
    """
    import pandas as pd

    task, variant, feature = read_answer_slice(run, name)
    rows = answer_rows(run, task, pd.Index(example_index(run, task).ids, dtype=object))
    languages = None
    if feature.kind == "language":
        languages = answer_languages(run, task, StatisticsReader(run).evidence_hash)
    hits = feature_hits(run, task, feature, rows, languages)[variant]
    inside = frozenset(hits.index[(hits > 0).to_numpy()])
    dataset = run.spec.tasks[task].dataset
    return IdFilter({other: inside for other, spec in run.spec.tasks.items() if spec.dataset == dataset})
