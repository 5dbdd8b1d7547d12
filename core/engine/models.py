"""Load one base model and its adapters once, and switch between variants without copying a weight."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from core.adapters import AdapterFacts, read_adapter
from core.adapters.kinds import LORA, PREFIX_KINDS, shares_layers
from core.engine.attach import Attached, attach
from core.engine.heads import load_head
from core.engine.packed import can_pack, pack
from core.engine.parts import mixture_on, part_on
from core.engine.plain_lora import take_fewer_steps
from core.engine.quantised import is_quantised, quantisation_config
from core.engine.seq2seq import is_seq2seq
from core.engine.sharing import says_numbers, tensor_marks
from core.engine.virtual import PrefixedModel, with_prefix
from core.errors import InputError
from core.heads import Head
from core.model_set import AdapterPart, Mixture, Quantisation
from core.records import BASELINE

TREE_MODELS = frozenset(
    {"llama", "qwen2", "qwen3", "mistral", "gemma", "phi3", "granite", "olmo2", "smollm3", "stablelm"}
)
"""Architectures whose every layer sees a token's ancestors and its position alone, so that a tree in one row is exact.

Others (sliding windows, state-space layers, position by place in the row) are scored one sequence a row.
"""


@dataclass(frozen=True)
class AdapterSource:
    """An adapter's folder, the factor on its scale, and what of it is on (None is all)."""

    folder: Path
    scale: float
    part: AdapterPart | None = None


class Models:
    """A base model with its adapters attached; `variant` says which of them is on.

    The baseline is the bare base: adapters hang in modules of their own over its tensors.
    """

    def __init__(
        self, base: Path, adapters: Mapping[str, AdapterSource], checkpoints: Mapping[str, Path],
        device: torch.device, dtype: torch.dtype, mixtures: Mapping[str, Mixture] | None = None,
        heads: Mapping[str, Head] | None = None, quantised: Mapping[str, Quantisation] | None = None,
    ) -> None:  # fmt: skip
        """Load the base and attach every adapter's folder once, however many variants are made of it; heads stay on the disk.

        Raises:
            InputError: a folder cannot be loaded; the message names it and says why.
        """
        self.device, self.dtype = device, dtype
        self.checkpoints = dict(checkpoints)
        self.adapters = dict(adapters)
        self.mixtures = dict(mixtures or {})
        self.heads = dict(heads or {})
        self._folder = base
        self._quantised: Mapping[str, Quantisation] = quantised or {}
        self._base = load_causal(base, device, dtype, self._quantised.get(BASELINE))
        self.seq2seq = is_seq2seq(self._base.config)
        self.trees = supports_trees(self._base.config)
        self._attached: dict[Path, Attached] = {}
        self._facts: dict[Path, AdapterFacts] = {}
        for name, source in adapters.items():
            if source.folder not in self._attached:
                self._attached[source.folder] = self._attach(name, source.folder)
        self._prefixed: dict[Path, PrefixedModel] = {
            folder: with_prefix(at.peft, self._base) for folder, at in self._attached.items() if at.kind in PREFIX_KINDS
        }
        attached = self._attached.items()
        plain = list({id(at.peft): at.peft for folder, at in attached if shares_layers(self._facts[folder])}.values())
        self._pack(self._base, plain)
        for model in plain if not is_quantised(self._base) else []:
            take_fewer_steps(model)
        if not says_numbers(self._base):
            raise InputError(
                f"{base}: the model gives infinite or undefined numbers (NaN) for everything: its weights are broken, or too large for "
                f"{str(dtype).removeprefix('torch.')}. Copy it again, or try settings.dtype: float32."
            )

    def _pack(self, model: Any, others: Sequence[Any] = ()) -> None:
        """Pack a model's layers where that is known to pay; the models of adapters that read weights themselves keep plain ones."""
        if supports_trees(model.config) and can_pack(self.device, self.dtype) and not is_quantised(model):
            pack(model, others)

    def _attach(self, name: str, folder: Path) -> Attached:
        facts = self._facts[folder] = read_adapter(folder)
        plain = shares_layers(facts)
        others = [at.peft for other, at in self._attached.items() if plain and shares_layers(self._facts[other])]
        before = tensor_marks(self._base)
        # PEFT's own name for it: a variant's may hold dots, which torch does not take in a module's name.
        peft_name = f"adapter_{len(self._attached)}"
        try:
            attached = attach(facts, self._base, others[0] if others else None, peft_name, self.dtype)
        except InputError as error:
            raise InputError(f"adapter {name!r} ({folder}): {error}") from None
        if tensor_marks(self._base) != before:
            raise InputError(
                f"adapter {name!r} ({folder}): attaching it changes the weights of the base, which the baseline has to share. Merge "
                "it into a checkpoint with merge_and_unload and name that under models.checkpoints."
            )
        return attached

    @contextmanager
    def variant(self, name: str) -> Iterator[Any]:
        """Yield the model as the named variant; the baseline is the same weights without adapters."""
        if name in self.checkpoints or name in self.heads:
            model = self._alone(name)
            try:
                yield model
            finally:
                del model
                gc.collect()
        elif name == BASELINE:
            yield self._base
        elif name in self.mixtures:
            with self._mixed(self.mixtures[name]) as model:
                yield model
        else:
            source = self.adapters[name]
            attached = self._attached[source.folder]
            if source.scale == 0:
                yield self._base
            elif attached.kind == LORA:
                with part_on(attached.peft, attached.name, source.scale, source.part):
                    yield attached.peft
            else:
                yield self._prefixed.get(source.folder, attached.peft)

    def _alone(self, name: str) -> Any:
        """Load a variant that is a model of its own."""
        if name in self.heads:
            return load_head(self._folder, self.heads[name], self.device, self.dtype)
        model = load_causal(self.checkpoints[name], self.device, self.dtype, self._quantised.get(name))
        self._pack(model)
        return model

    @contextmanager
    def _mixed(self, mixture: Mixture) -> Iterator[Any]:
        sources = {one: self.adapters[one] for one in mixture.weights}
        if alone := next((one for one, at in sources.items() if not shares_layers(self._facts[at.folder])), None):
            raise InputError(
                f"{alone!r} cannot be mixed: it changes more of the base than the layers that others change."
            )
        weights = {
            self._attached[source.folder].name: mixture.weights[one] * source.scale for one, source in sources.items()
        }
        model = self._attached[next(iter(sources.values())).folder].peft
        with mixture_on(model, weights, mixture):
            yield model

    def attached(self, name: str) -> PeftModel:
        """Return PEFT's model of the base with an adapter; others may hang in it too."""
        return self._attached[self.adapters[name].folder].peft

    def keys_not_loaded(self, name: str) -> list[str]:
        """Return the tensors of an adapter's file that found no place in the model (an empty list is as it should be)."""
        return list(self._attached[self.adapters[name].folder].without_place)


def supports_trees(config: Any) -> bool:
    """Tell whether several sequences may share a row of this architecture as one tree."""
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    return config.model_type in TREE_MODELS and layers == {"full_attention"} and window is None


def load_causal(
    folder: Path, device: torch.device, dtype: torch.dtype, quantisation: Quantisation | None = None
) -> Any:
    """Load a language model (causal, or sequence to sequence) from a local folder: safetensors alone, none of the folder's own code.

    Raises:
        InputError: it cannot be loaded; the message says why.
    """
    options: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        if quantisation is not None or getattr(config, "quantization_config", None) is not None:
            options["device_map"] = {"": device}  # such weights are made where they stay
        if quantisation is not None:
            options["quantization_config"] = quantisation_config(quantisation, dtype)
        kind = AutoModelForSeq2SeqLM if is_seq2seq(config) else AutoModelForCausalLM
        model: Any = kind.from_pretrained(folder, config=config, dtype=dtype, attn_implementation="sdpa", **options)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    except (OSError, ValueError, KeyError, ImportError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{folder}: transformers cannot load a language model from here: {reason}") from None
    # Frozen, as PEFT freezes a base: with gradients on, torch folds some products differently and the last bits differ.
    return (model if is_quantised(model) else model.to(device)).requires_grad_(False).eval()
