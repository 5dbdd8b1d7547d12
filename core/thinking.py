"""The block that a model writes for itself before its answer, kept apart from the answer.

What is stored is the whole text; the block is found in it whenever it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from core.prompt_spec import DEFAULT_MARKS, ThinkingMarks
from core.spec import RunSpec
from core.store import Run


@dataclass(frozen=True)
class Thought:
    """A generated text in its two parts."""

    answer: str
    """What stands after the last closed block, without the white space before it; all of a text without a block."""
    thinking: str | None = None
    """What stands in the blocks; None where there is none."""
    closed: bool = True
    """False where the text ended inside a block: then there is no answer."""


@dataclass(frozen=True)
class ThinkingRule:
    """How the texts of a run's task are parted."""

    marks: ThinkingMarks
    close_ids: tuple[int, ...] = ()
    """The tokens of the closing mark: what tokens of thinking are counted by."""
    opened: bool = False
    """Whether prompts end with the opening mark, as the templates of some models do: a text begins within a block then."""

    def part(self, text: str) -> Thought:
        """Return a generated text in its two parts.

        Thinking comes first: a block begins the text, or was opened by the prompt. Marks in a text that begins otherwise are
        words of the answer. What stands between two blocks counts as thinking.
        """
        opening, closing = self.marks
        begins = text.lstrip().startswith(opening)
        if not begins and not self.opened:
            return Thought(text)
        rest = text.partition(opening)[2] if begins else text
        blocks: list[str] = []
        while True:
            block, closed, rest = rest.partition(closing)
            blocks.append(block)
            if not closed:
                return Thought("", "".join(blocks), closed=False)
            between, again, later = rest.partition(opening)
            if not again or (between.strip() and closing not in later):
                return Thought(rest.lstrip(), "".join(blocks))
            blocks.append(between)
            rest = later

    def count(self, token_ids: Sequence[int]) -> int | None:
        """Return how many tokens the thinking took, marks included; None where its end cannot be found among the tokens."""
        width = len(self.close_ids)
        for start in range(len(token_ids) - width, -1, -1) if width else ():
            if tuple(token_ids[start : start + width]) == self.close_ids:
                return start + width
        return None

    def may_hold(self, texts: pa.ChunkedArray) -> bool:
        """Tell whether any of many texts may have a block, without parting them."""
        return self.opened or bool(pc.any(pc.match_substring(texts, self.marks[0])).as_py())  # type: ignore[attr-defined]


def thinking_of(run: Run, task: str) -> ThinkingRule | None:
    """Return how the texts of a run's task are parted; None where all of a text is the answer.

    A run of a version that did not part them yet is read as it was.
    """
    if run.spec.models.imported or not run.spec.tasks[task].generates:
        return None
    found = (run.read_json("environment") or {}).get("thinking")
    if not found:
        return None
    return ThinkingRule((found["open"], found["close"]), tuple(found["close_ids"]), task in found["opened"])


def with_answers(run: Run, task: str, table: pa.Table) -> pa.Table:
    """Return evidence of a task with the answers alone in its column ``text``."""
    rule = thinking_of(run, task)
    if rule is None or not rule.may_hold(table["text"]):
        return table
    answers = [None if text is None else rule.part(text).answer for text in table["text"].to_pylist()]
    return table.set_column(table.schema.get_field_index("text"), "text", pa.array(answers, pa.string()))


def marks_of(spec: RunSpec) -> ThinkingMarks | None:
    """Return the marks that a spec asks for; None for ``off``."""
    wanted = spec.settings.thinking
    return None if wanted == "off" else wanted or DEFAULT_MARKS
