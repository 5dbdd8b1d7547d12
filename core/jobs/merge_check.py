"""The job that merges an adapter into a copy of its base and says what that moves, in float32, bfloat16 and, if asked, 4 bits."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.adapters import AdapterFacts, read_adapter
from core.adapters.kept import read_request, save_result
from core.adapters.merge import MergeCheck, MergeRow
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.jobs.progress import Progress

NEW_TOKENS = 32
_UNMERGED, _MERGED = "unmerged", "merged"
_ON_4_BITS = "unmerged, base in 4 bits (nf4)"


def merge_check(folder: Path) -> None:
    """Check what the request in ``folder`` names, and store the result beside it.

    Raises:
        InputError: a model is gone or cannot be loaded, or there is nothing to ask it.
    """
    request = read_request(folder)
    progress = Progress(folder, total=3 + bool(request.get("quantised")))
    try:
        facts = read_adapter(Path(request["adapter"]))
        if not facts.is_lora:
            raise InputError(f"{facts.folder}: found peft_type {facts.peft_type}; merging is checked for LoRA.")
        progress.set(state="loading", message=f"Loading the base and {facts.folder.name}")
        save_result(folder, _checked(request, facts, progress))
    except BaseException:
        progress.stop()
        raise
    progress.finish(state="finished", message="Checked.")


def _checked(request: dict[str, Any], facts: AdapterFacts, progress: Progress) -> MergeCheck:
    from core.engine.device import choose_device
    from core.engine.merge import PRECISIONS, held_against, observe_unmerged_and_merged
    from core.engine.models import AdapterSource

    base, device = Path(request["base"]), choose_device("auto")
    renderer = PromptRenderer(base)
    prompts = [ids for text in request["prompts"] if (ids := renderer.encode(text).ids)]
    if not prompts:
        raise InputError("There is no prompt to ask: the run has none with text. Choose a run with prompts.")
    source = AdapterSource(facts.folder, float(request["scale"]))
    rows: list[MergeRow] = []
    exact = None
    for name in PRECISIONS:
        progress.set(state="running", message=f"Merged and unmerged in {name}")
        unmerged, merged = observe_unmerged_and_merged(
            base, source, device, name, prompts, NEW_TOKENS, renderer.stop_ids
        )
        rows.append(held_against(f"{_MERGED}, {name}", merged, f"{_UNMERGED}, {name}", unmerged))
        progress.advance(1)
        if exact is None:
            exact = unmerged
        else:
            rows.append(held_against(f"{_UNMERGED}, {name}", unmerged, f"{_UNMERGED}, float32", exact))
            progress.advance(1)
        gc.collect()
    if request.get("quantised"):
        progress.set(message="The adapter on a base in 4 bits")
        rows.append(_on_4_bits(base, facts.folder, source.scale, device, prompts, renderer, exact))
        progress.advance(1)
    return MergeCheck(facts.tensor_hash, tuple(rows), str(request["run"]), str(device), NEW_TOKENS)


def _on_4_bits(
    base: Path, adapter: Path, scale: float, device: Any, prompts: list[tuple[int, ...]], renderer: PromptRenderer, exact: Any
) -> MergeRow:  # fmt: skip
    """Return how far the adapter on a quantised base is from the adapter on the whole one; or why that cannot be told."""
    from core.engine.merge import held_against, observe_on_quantised

    against = f"{_UNMERGED}, float32"
    if find_spec("bitsandbytes") is None:
        return MergeRow(_ON_4_BITS, against, reason="bitsandbytes is not installed; pip install bitsandbytes.")
    if scale != 1.0:
        return MergeRow(_ON_4_BITS, against, reason=f"looked at for a scale of 1 alone; here it is {scale:g}.")
    try:
        found = observe_on_quantised(base, adapter, device, prompts, NEW_TOKENS, renderer.stop_ids)
    except InputError as error:
        return MergeRow(_ON_4_BITS, against, reason=str(error))
    return held_against(_ON_4_BITS, found, against, exact)
