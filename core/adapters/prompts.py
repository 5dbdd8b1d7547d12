"""Which of a run's prompts a merged adapter is asked: a few, of middling length, of every task that has prompts."""

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
