"""What the Adapters page says in a sentence: what an adapter is, what it changed, how it trained, what merging moves."""

from __future__ import annotations

from collections.abc import Sequence

from core.adapters import AdapterFacts, TrainingLog
from core.adapters.anatomy import Anatomy, ModuleChange
from core.adapters.merge import MergeCheck, MergeRow
from core.adapters.overlap import Overlap
from core.adapters.settings import value_text
from core.charts.anatomy import short_parts
from core.notation import counted, duration_text, size_text


def what_it_is(name: str, facts: AdapterFacts, base_layers: int | None) -> str:
    """Return kind, rank, modules and layers as a sentence."""
    if not facts.is_lora:
        return (
            f"{name} is an adapter of PEFT type {facts.peft_type}. Its settings and its training are shown; what it changed is "
            "measured for LoRA."
        )
    rank = (
        f"rank {' to '.join(str(one) for one in dict.fromkeys((facts.ranks[0], facts.ranks[-1])))}"
        if facts.ranks
        else "unknown rank"
    )
    kind = "DoRA" if facts.config.get("use_dora") else "LoRA"
    return (
        f"{name} is a {kind} adapter of {rank} on {_listed(facts.module_names)}{_in_layers(facts.layers, base_layers)}."
    )


def what_it_changed(name: str, anatomy: Anatomy, facts: AdapterFacts, base_layers: int | None) -> str:
    """Return how much an adapter changed, and where most, as a sentence."""
    where = f"{name} changes {_listed(facts.module_names)}{_in_layers(anatomy.layers, base_layers)}"
    first = anatomy.most_moved[0]
    if not first.change_norm:
        return f"{name} changes nothing: every product of its factors is zero."
    if anatomy.share is None or first.share is None:
        return f"{where}; most in {module_words(first)}. The base is not at hand, so how large a share that is cannot be told."
    return f"{where} by {share_text(anatomy.share)} of their norm; most in {module_words(first)} ({share_text(first.share)})."


def how_alike(names: tuple[str, str], overlap: Overlap) -> str:
    """Return how alike two adapters' changes are, as a sentence."""
    if not overlap.modules:
        return f"{names[0]} and {names[1]} change no module in common."
    same = counted(len(overlap.modules), "module")
    extra = [f"{counted(len(only), 'module')} that only {name} changes" for name, only in
             zip(names, (overlap.only_first, overlap.only_second), strict=True) if only]  # fmt: skip
    beside = f" (beside {' and '.join(extra)})" if extra else ""
    cosine = "no cosine" if overlap.cosine is None else f"a cosine of {overlap.cosine:.2f}"
    shared, chance = overlap.mean("output_overlap"), overlap.mean("output_chance")
    told = "" if shared is None or chance is None else (
        f", and share {100 * shared:.0f} % of the directions that they write to, where chance would give {100 * chance:.0f} %"
    )  # fmt: skip
    return f"{names[0]} and {names[1]} both change {same}{beside}: all changes together have {cosine}{told}."


def facts_line(facts: AdapterFacts) -> str:
    """Return size, scale, time and hash as the grey line under the sentence."""
    known = [
        f"alpha {value_text(facts.alpha)}" if facts.alpha is not None else "",
        f"scale {facts.scale:.3g}" if facts.scale is not None else "",
        f"{facts.parameters:,} trained parameters", size_text(facts.n_bytes),
        f"trained in {duration_text(facts.training_seconds)}" if facts.training_seconds else "",
        f"base {facts.base_name}" if facts.base_name else "", f"tensors {facts.tensor_hash[:8]}",
    ]  # fmt: skip
    return " · ".join(part for part in known if part)


def how_it_trained(name: str, log: TrainingLog) -> str:
    """Return where the losses of a training began and ended, and which evaluation was best, as a sentence."""
    losses = [row for row in log.train if row.values.get("loss") is not None]
    if not losses and not log.evaluations:
        return f"{name} has a log without losses."
    told = ""
    if losses:
        first, last = losses[0], losses[-1]
        told = f"{name}: loss {first.values['loss']:.3g} at step {first.step}, {last.values['loss']:.3g} at step {last.step}"
    best, final = log.best_evaluation, log.last_evaluation
    if best is None or final is None:
        return f"{told}; nothing was held out." if told else f"{name} was evaluated without a loss."
    held = f"on held-out rows {best.values['eval_loss']:.3g} at step {best.step}"
    after = "the last evaluation was the best" if best.step == final.step else (
        f"then it rose to {final.values['eval_loss']:.3g} at step {final.step}: trained too long, or too fast"
    )  # fmt: skip
    return f"{told + '; ' if told else f'{name}: '}{held}, and {after}."


def what_merging_moves(name: str, found: MergeCheck) -> str:
    """Return what merging moves in each precision, as a sentence."""
    merged = [row for row in found.rows if row.model.startswith("merged")]
    return f"Merging {name}: " + "; ".join(_merged(row) for row in merged) + "."


def share_text(share: float) -> str:
    """Return a share in percent with two significant digits: ``1.3 %``."""
    return f"{100 * share:.2g} %"


def module_words(change: ModuleChange) -> str:
    """Return a module as people say it: ``layer 27's v_proj``."""
    name = short_parts([change.part])[change.part]
    return name if change.layer is None else f"layer {change.layer}'s {name}"


def _merged(row: MergeRow) -> str:
    precision = row.model.removeprefix("merged, ")
    if row.largest_logit_change is None:
        return f"in {precision} not known ({row.reason})"
    moved = f"in {precision} logits move by up to {row.largest_logit_change:.2g}"
    if not row.other_tokens:
        return f"{moved} and no greedy continuation changes"
    return f"{moved} and {row.other_continuations} of {row.prompts} greedy continuations change"


def _in_layers(layers: Sequence[int], base_layers: int | None) -> str:
    if not layers:
        return ""
    if base_layers == len(layers):
        return f" in all {len(layers)} layers"
    return f" in {counted(len(layers), 'layer')}" + (f" of {base_layers}" if base_layers else "")


def _listed(names: Sequence[str]) -> str:
    if len(names) > 7:
        return f"{', '.join(names[:6])} and {len(names) - 6} other kinds of module"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
