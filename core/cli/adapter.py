"""``lorascope adapter``: say what an adapter is and how it was made, from its files; with its base, what it changed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.adapter_merge import MergeWish, merge
from core.cli.options import examples, json_option, print_json, print_table, workspace_option
from core.notation import duration_text, size_text

if TYPE_CHECKING:
    from core.adapters import AdapterFacts, Setting
    from core.adapters.anatomy import Anatomy
    from core.adapters.overlap import Overlap

_LISTED = 8


@click.command(
    "adapter",
    epilog=examples(
        "lorascope adapter adapters/qv-r8",
        "lorascope adapter adapters/qv-r8 --base models/base",
        "lorascope adapter adapters/qv-r8 --beside adapters/qv-r32",
        "lorascope adapter adapters/qv-r8 --merge --run sample",
        "lorascope adapter adapters/qv-r8 --json | jq '.settings.learning_rate'",
    ),
)
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Its base: check that it fits, and measure what it changed.",
)
@click.option("--beside", type=click.Path(path_type=Path), metavar="PATH", help="Another adapter: how alike are they?")
@click.option("--merge", "merging", is_flag=True, help="Merge it into its base: what does that move? Loads the model.")
@click.option("--run", metavar="RUN", help="With --merge: whose prompts and examples are asked (default: the newest).")
@click.option(
    "--examples",
    "n_examples",
    type=click.IntRange(min=0),
    default=32,
    show_default=True,
    help="With --merge: examples of each task, for the run's primary metrics.",
)
@click.option("--quantised", is_flag=True, help="With --merge: also on a base in 4 bits (needs bitsandbytes).")
@workspace_option
@json_option
def command(
    path: Path, base: Path | None, beside: Path | None, merging: bool, run: str | None, n_examples: int, quantised: bool,
    workspace: Path, as_json: bool,
) -> None:  # fmt: skip
    """Read the adapter in PATH: its settings with the file that says each, its training, and what looks odd.

    No model is loaded (but with --merge) and no pickle is run; training_args.bin is read all the same.
    """
    from core.adapters import check_against_base, read_adapter
    from core.adapters.anatomy import measure_anatomy
    from core.adapters.overlap import measure_overlap

    facts = read_adapter(path)
    findings = [] if base is None else check_against_base(facts, base)
    fits = base is not None and facts.is_lora and all(one.level != "error" for one in findings)
    anatomy = measure_anatomy(facts, base) if fits else None
    overlap = None if beside is None else measure_overlap(facts, read_adapter(beside))
    merged = merge(facts, MergeWish(workspace, run, base, n_examples, quantised)) if merging else None
    if as_json:
        told = {"findings": [asdict(one) for one in findings]}
        print_json(
            _as_json(facts)
            | told
            | _measured(anatomy, overlap)
            | ({} if merged is None else {"merge": merged.as_json()})
        )
        return
    _print_facts(facts)
    for finding in findings:
        if finding.code != "config":
            click.echo(f"{finding.level}: {finding.sentence}")
    if base is not None:
        _print_templates(path, base)
    if anatomy is not None:
        _print_anatomy(anatomy)
    if overlap is not None:
        _print_overlap(overlap)
    if merged is not None:
        merged.print()


def _as_json(facts: AdapterFacts) -> dict[str, Any]:
    log = facts.training_log
    return {
        "folder": str(facts.folder), "peft_type": facts.peft_type, "base": facts.base_name, "rank": facts.rank,
        "tensor_ranks": facts.ranks, "alpha": facts.alpha, "scale": facts.scale, "target_modules": facts.target_modules,
        "modules": facts.module_names, "layers": facts.layers, "parameters": facts.parameters, "bytes": facts.n_bytes,
        "tensor_hash": facts.tensor_hash, "training_seconds": facts.training_seconds,
        "settings": {one.name: {"value": one.value, "source": one.source, "contradicted_by": _others(one)} for one in facts.settings},
        "log": {"source": log.source, "train": [asdict(row) for row in log.train],
                "evaluations": [asdict(row) for row in log.evaluations], "summary": log.summary},
        "warnings": facts.warnings,
    }  # fmt: skip


def _others(setting: Setting) -> dict[str, Any]:
    return {other.source: other.value for other in setting.contradictions}


def _measured(anatomy: Anatomy | None, overlap: Overlap | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if anatomy is not None:
        found["anatomy"] = asdict(anatomy) | {"share": anatomy.share}
    if overlap is not None:
        found["overlap"] = asdict(overlap)
    return found


def _print_facts(facts: AdapterFacts) -> None:
    from core.adapters.settings import value_text

    modules = f" on {', '.join(facts.module_names)}" if facts.module_names else ""
    layers = f" in {len(facts.layers)} layers" if facts.layers else ""
    rank = f", rank {', '.join(map(str, facts.ranks))}" if facts.ranks else ""
    trained = f"; trained in {duration_text(facts.training_seconds)}" if facts.training_seconds else ""
    click.echo(
        f"{facts.folder}: {facts.peft_type}{rank}{modules}{layers}; {facts.parameters:,} parameters, {size_text(facts.n_bytes)}{trained}"
    )
    for sentence in facts.warnings:
        click.echo(f"warning: {sentence}")
    print_table(
        ("setting", "value", "said by"), [(one.name, value_text(one.value), one.source) for one in facts.settings]
    )


def _print_templates(adapter: Path, base: Path) -> None:
    """Print one conversation as both chat templates put it, line by line, where they differ."""
    from difflib import unified_diff

    from core.adapters.chat import template_difference
    from core.errors import InputError

    try:
        found = template_difference(adapter, base)
    except InputError:  # the findings say so
        return
    if found is None or found.base is None or found.same_text:
        return
    click.echo("one conversation by both chat templates:")
    lines = unified_diff(
        found.base.split("\n"), found.adapter.split("\n"), "the base's", "the adapter's", n=2, lineterm=""
    )
    for line in lines:
        click.echo(f"  {line}")


def _print_anatomy(anatomy: Anatomy) -> None:
    if anatomy.share is not None:
        click.echo(f"changes the weights that it touches by {100 * anatomy.share:.2g} % of their norm; most:")
    rows = [
        (one.module, "" if one.share is None else f"{100 * one.share:.2g} %", f"{one.change_norm:.3g}",
         "" if one.effective_rank is None else f"{one.effective_rank:.2f} of {one.rank}")
        for one in anatomy.most_moved[:_LISTED]
    ]  # fmt: skip
    print_table(("module", "change / weight", "norm of change", "effective rank"), rows)
    for sentence in anatomy.remarks:
        click.echo(sentence)


def _print_overlap(overlap: Overlap) -> None:
    cosine = "not defined" if overlap.cosine is None else f"{overlap.cosine:.3f}"
    click.echo(f"both change {len(overlap.modules)} modules; cosine of all changes {cosine}")
    for side in ("output", "input"):
        shared, chance = overlap.mean(f"{side}_overlap"), overlap.mean(f"{side}_chance")
        if shared is not None and chance is not None:
            click.echo(f"shared directions of {side}: {100 * shared:.3g} %, by chance {100 * chance:.2g} %")
