"""What TRL 1.16's loss options and max_length do to rows of one form; see `trainer`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.data.profile.lengths import Lengths
from core.data.profile.trl_facts import CONVERSATIONS, DEFAULT_MAX_LENGTH, READS, TRL, has_training_twin
from core.data.profile.view import RowView
from core.data.prompt import PromptRenderer
from core.errors import InputError

Level = Literal["stops", "warning", "note"]


@dataclass(frozen=True)
class Advice:
    """One thing that the trainer will do with this file."""

    code: str
    level: Level
    """``stops``: training raises an error. ``warning``: it does what few people want. ``note``: good to know."""
    message: str
    lines: tuple[int, ...] = ()
    """Of the rows it is about, at most 100; empty where it is about the whole file."""


def loss_advice(first: RowView, renderer: PromptRenderer | None) -> Iterator[Advice]:
    """Yield what completion_only_loss and assistant_only_loss do to a file whose first row this is."""
    form = first.form
    if form in (*CONVERSATIONS, "text"):
        name = "text" if form == "text" else "messages"
        yield Advice(
            "completion-only-does-nothing", "warning",
            f"completion_only_loss=True does nothing on `{name}` rows: every token is trained on, questions too, without a warning.",
        )  # fmt: skip
        yield Advice("trains-on-everything", "note", f"By default {TRL} trains on every token of `{name}` rows.")
    if form in ("prompt-completion", "unpaired-preference"):
        yield Advice(
            "completion-only-default", "note", f"By default {TRL} trains on the completion alone of these rows."
        )
    if form in READS and first.messages is None:
        yield Advice(
            "assistant-only-refused",
            "stops",
            "With assistant_only_loss=True training stops: these rows are no conversations.",
        )
    elif form in READS and renderer is not None and renderer.template:
        yield from _assistant_only(renderer)


def _assistant_only(renderer: PromptRenderer) -> Iterator[Advice]:
    if renderer.marks_generation:
        yield Advice("assistant-only-works", "note", "assistant_only_loss=True trains on the assistant's words alone.")
        if not _stop_token_trained(renderer):
            yield Advice(
                "stop-token-not-trained", "warning",
                "With assistant_only_loss=True the token that ends the assistant's turn is not trained on: the model may not "
                "learn to stop. In the template it stands outside {% generation %}.",
            )  # fmt: skip
        return
    if has_training_twin(renderer.template or ""):
        yield Advice(
            "assistant-only-swapped", "note",
            f"This chat template has no {{% generation %}} tag; with assistant_only_loss=True {TRL} takes one of its own instead.",
        )  # fmt: skip
    else:
        yield Advice(
            "assistant-only-needs-tag", "stops",
            "With assistant_only_loss=True training stops: this chat template has no {% generation %} tag. Name one that has it "
            "with `chat_template_path`, or convert the rows to prompt and completion.",
        )  # fmt: skip


def _stop_token_trained(renderer: PromptRenderer) -> bool:
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, {"role": "user", "content": "x"}]
    try:
        spans = renderer.generated_spans(turns)
        text = renderer.render(turns, add_generation_prompt=False)
    except InputError:
        return False
    if not spans:
        return False
    tail = renderer.encode(text[spans[-1][0] : spans[-1][1]].rstrip()).ids
    return bool(tail) and tail[-1] in renderer.tokenizer.get_added_tokens_decoder()


def length_advice(first: RowView, lengths: Lengths, max_length: int) -> Iterator[Advice]:
    """Yield what max_length and packing do to rows of these lengths."""
    cut = lengths.cut(max_length)
    refused = lengths.unrendered
    if refused.count:
        yield Advice(
            "template-refuses",
            "stops",
            f"The chat template refuses {refused.count:,} rows: {refused.reason}",
            refused.lines,
        )
    if cut.rows:
        default = " (the default)" if max_length == DEFAULT_MAX_LENGTH else ""
        yield Advice(
            "max-length-cuts", "warning",
            f"max_length={max_length:,}{default} cuts off the ends of {cut.rows:,} of {len(lengths.totals):,} rows "
            f"({cut.share or 0:.1%}) and {cut.share_of_tokens or 0:.1%} of all tokens.", cut.lines,
        )  # fmt: skip
    if cut.answers_lost:
        dropped = " Without packing such rows are dropped." if first.form == "prompt-completion" else ""
        yield Advice(
            "answers-cut", "warning",
            f"In {cut.answers_lost:,} rows the prompt alone fills max_length: nothing of the last answer is left.{dropped}",
        )  # fmt: skip
    cost = lengths.packing(max_length)
    if cost.padded_share is not None and cost.packed_share is not None:
        yield Advice(
            "packing", "note",
            f"Batches of {cost.batch_size} rows are {cost.padded_share:.0%} padding; packing=True leaves {cost.packed_share:.0%} "
            f"empty and makes {cost.blocks:,} blocks of {cost.rows:,} rows. {TRL} documents it for FlashAttention 2 and 3 only.",
        )  # fmt: skip
