"""Chosen examples: the biggest gains and the biggest losses of each task, with the texts as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.example_options import Answer, OptionBar, read_one, reference_text
from core.example_texts import read_example, read_example_evidence, read_table
from core.examples import ExampleTable, Measure, Query, Selection, Sort, measure_of, select
from core.judging import metrics_of, score_text, scores_of
from core.metrics.metric import Metric
from core.notation import counted
from core.report.document import ExampleCard, Section, Text
from core.report.scene import Scene
from core.results import Verdict
from core.spec import TaskSpec
from core.thinking import thinking_of

_TONES: dict[str, Verdict] = {"fixed": "better", "gained": "better", "broken": "worse", "lost": "worse"}


def examples(scene: Scene) -> Section | None:
    """Return the section; None where there is one variant alone, or no example has a value under both."""
    variant, wanted = scene.variant, scene.wishes.n_examples
    if variant is None or variant == scene.comparison.reference or wanted < 1:
        return None
    cards: list[ExampleCard] = []
    judged: list[str] = []
    for task, spec in scene.run.spec.clean_tasks.items():
        metric = _metric(scene, task)
        if metric is None:
            continue
        found = _of_task(scene, task, spec, metric, variant)
        cards += found
        judged += [f"{task} by {metric.label}"] if found else []
    if not cards:
        return None
    told = (
        f"{variant} against {scene.comparison.reference}: the biggest gains and the biggest losses, {wanted} of each at the most; "
        f"chosen by their difference alone ({', '.join(judged)}), ties in the order of the data. Texts are shown as the model wrote them."
    )
    return Section("examples", (told,), examples=tuple(cards))


def _metric(scene: Scene, task: str) -> Metric | None:
    """Return what single examples of a task are judged by: its first primary metric that judges one, else the first."""
    known = metrics_of(scene.run, task)
    primary = [row.metric for row in scene.comparison.rows if row.task == task and row.primary]
    return next((known[name] for name in (*primary, *known) if name in known), None)


def _of_task(scene: Scene, task: str, spec: TaskSpec, metric: Metric, variant: str) -> list[ExampleCard]:
    reference = scene.comparison.reference
    table = read_table(scene.run, task)
    scores = scores_of(scene.run, task, metric.name).reindex(table.ids)
    measure = measure_of(metric, scores, spec.bands.get(metric.name))
    cards = []
    sides: tuple[tuple[Sort, tuple[str, str]], ...] = (("gain", ("fixed", "gained")), ("loss", ("broken", "lost")))
    for sort, kinds in sides:
        selection = select(table, scores, measure, Query(variant, reference, sort=sort))
        places = [at for at in selection.positions if selection.outcome[at] in kinds][: scene.wishes.n_examples]
        for at in places:
            values = {name: float(scores[name].to_numpy()[at]) for name in (reference, variant)}
            cards.append(_card(scene, task, table, int(at), selection, measure, values))
    return cards


def _card(
    scene: Scene, task: str, table: ExampleTable, at: int, selection: Selection, measure: Measure, values: dict[str, float]
) -> ExampleCard:  # fmt: skip
    run, example_id, outcome = scene.run, str(table.ids[at]), str(selection.outcome[at])
    example, evidence = read_example(run, task, example_id), read_example_evidence(run, task, example_id)
    texts: list[Text] = []
    if example is not None:
        texts.append(
            Text("Prompt", example.prompt) if example.prompt else Text("Prompt", "", "none: the text itself is scored")
        )
        if (expected := reference_text(example)) is not None:
            texts.append(Text("Reference", expected))
        for name, value in values.items():
            answer = read_one(run.spec.tasks[task], example, evidence.get(name, ()), thinking_of(run, task))
            texts.append(_answer(name, answer, f"{measure.label}: {score_text(measure, value)}"))
    change = "" if measure.rate else f" {score_text(measure, float(selection.difference[at]), signed=True)}"
    return ExampleCard(example_id, task, f"{outcome}{change}", _TONES.get(outcome), tuple(texts))


def _answer(name: str, answer: Answer, score: str) -> Text:
    notes = [score, f"read as {answer.read_as}" if answer.read_as else "", answer.reason or ""]
    text = answer.text if answer.text is not None else _options(answer.bars)
    if answer.n_thinking_tokens:
        notes.append(f"after {counted(answer.n_thinking_tokens, 'token')} of thinking")
    if answer.finish == "length":
        notes.append("cut off at the longest answer allowed")
    return Text(name, text, "; ".join(note for note in notes if note), name)


def _options(bars: Sequence[OptionBar]) -> str:
    """Return the likeliest options with their probabilities, a line each."""
    order = np.argsort([-bar.probability for bar in bars], kind="stable")[:5]
    return "\n".join(f"{100 * bars[at].probability:.1f} %  {bars[at].label}" for at in order)
