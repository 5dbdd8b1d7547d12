"""What of a run a merged adapter is asked: a few prompts of middling length, and examples of every task that is answered."""

from __future__ import annotations

from core.store import Run

PROMPTS = 8


def some_prompts(run: Run, count: int = PROMPTS) -> tuple[str, ...]:
    """Return up to ``count`` prompts as the model sees them, spread over tasks and lengths; perturbed ones are left out."""
    found: list[str] = []
    tasks = list(run.spec.clean_tasks)
    by_task = {task: sorted({one.prompt for one in run.examples if one.task == task and one.prompt}, key=lambda text: (len(text), text))
               for task in tasks}  # fmt: skip
    asked = [prompts for prompts in by_task.values() if prompts]
    for turn in range(count):
        if not asked:
            break
        prompts = asked[turn % len(asked)]
        # the middle half by length, from its shorter end to its longer one
        quarter, turns = len(prompts) // 4, -(-count // len(asked))
        place = quarter + (len(prompts) - 2 * quarter - 1) * (turn // len(asked)) // max(1, turns - 1)
        if prompts[place] not in found:
            found.append(prompts[place])
    return tuple(found)


def some_examples(run: Run, count: int) -> dict[str, tuple[str, ...]]:
    """Return up to ``count`` example ids of each task whose answers are generated or chosen, evenly spread over its examples.

    Left out are perturbed tasks, those without a metric, and those of predictions from elsewhere.
    """
    found = {}
    for task, spec in run.spec.clean_tasks.items():
        ids = list(dict.fromkeys(one.id for one in run.examples if one.task == task))
        asked = min(count, len(ids))
        is_asked = not run.spec.models.imported and not spec.imported and (spec.generates or spec.options)
        if asked and is_asked and spec.metrics:
            found[task] = tuple(ids[place * len(ids) // asked] for place in range(asked))
    return found
