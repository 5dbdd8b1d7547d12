"""A stand-in for vLLM with the signatures and answers of its 0.32, computed by plain transformers and PEFT, one text at a time.

What it takes and refuses was read in vLLM's own source; the same tests pass with vLLM itself where that is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.data.prompt import PromptRenderer


@dataclass
class SamplingParams:
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: list[str] | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    max_tokens: int | None = 16
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    flat_logprobs: bool = False
    detokenize: bool = True


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str = ""


@dataclass
class Logprob:
    logprob: float
    rank: int | None = None


@dataclass
class FlatLogprobs:
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class LLM:
    """One model in memory; the class knows how many there are at once."""

    alive = 0
    most_alive = 0
    wishes: list[dict[str, Any]] = []

    def __init__(
        self, model: str, *, tokenizer: str | None = None, skip_tokenizer_init: bool = False, dtype: str = "auto", seed: int = 0,
        gpu_memory_utilization: float = 0.92, **more: Any,
    ) -> None:  # fmt: skip
        known = {
            "generation_config", "max_model_len", "max_logprobs", "enable_prefix_caching", "max_num_batched_tokens", "enable_lora",
            "max_loras", "max_cpu_loras", "max_lora_rank", "lora_target_modules",
        }  # fmt: skip
        assert set(more) <= known, f"vLLM has no such argument: {set(more) - known}"
        if not (Path(model) / "model.safetensors").is_file():
            raise ValueError("Cannot find any model weights\n  with `model`")
        type(self).wishes.append(more | {"model": model, "skip_tokenizer_init": skip_tokenizer_init})
        self._folder, self._more = Path(model), more
        self._renderer = None if skip_tokenizer_init else PromptRenderer(Path(tokenizer or model))
        self._loaded: dict[str | None, Any] = {None: self._load()}
        self.model_config = SimpleNamespace(max_model_len=self._loaded[None].config.max_position_embeddings)
        self.llm_engine = SimpleNamespace(add_lora=self._add_lora, engine_core=SimpleNamespace(shutdown=self._shutdown))
        type(self).alive += 1
        type(self).most_alive = max(self.most_alive, self.alive)

    def _load(self) -> Any:
        return AutoModelForCausalLM.from_pretrained(self._folder, dtype=torch.float32).eval()

    def _add_lora(self, request: LoRARequest) -> bool:
        assert self._more["enable_lora"] and len(self._loaded) <= self._more["max_cpu_loras"]
        found = PeftModel.from_pretrained(self._load(), request.lora_path).eval()
        rank = found.peft_config["default"].r
        if rank > self._more["max_lora_rank"]:
            raise ValueError(f"LoRA rank {rank} is greater than max_lora_rank {self._more['max_lora_rank']}.")
        self._loaded[request.lora_name] = found
        return True

    def _shutdown(self) -> None:
        type(self).alive -= 1

    def reset_prefix_cache(self) -> bool:
        return True

    def generate(
        self, prompts: Sequence[dict[str, list[int]]], sampling_params: Sequence[SamplingParams], *, use_tqdm: bool,
        lora_request: LoRARequest | None = None,
    ) -> list[Any]:  # fmt: skip
        assert not use_tqdm and len(prompts) == len(sampling_params)
        model = self._loaded[lora_request.lora_name if lora_request else None]
        return [
            self._one(model, one["prompt_token_ids"], wish) for one, wish in zip(prompts, sampling_params, strict=True)
        ]

    def _one(self, model: Any, prompt: list[int], wish: SamplingParams) -> Any:
        room = self.model_config.max_model_len
        if not 0 < len(prompt) < room:
            raise ValueError(
                f"The decoder prompt (length {len(prompt)}) is longer than the maximum model length of {room}."
            )
        if (wish.stop or wish.detokenize) and self._renderer is None:
            raise ValueError("detokenize needs a tokenizer, and skip_tokenizer_init was set")
        draw = torch.Generator().manual_seed(wish.seed or 0)
        ids: list[int] = []
        found: list[torch.Tensor] = []
        while True:
            logits = _logits(model, [*prompt, *ids])
            found.append(torch.log_softmax(logits[-1], -1))
            ids.append(_next(logits[-1], wish, draw))
            if ids[-1] in (wish.stop_token_ids or ()) or len(ids) == wish.max_tokens or len(prompt) + len(ids) == room:
                break
            if wish.stop and self._renderer and any(stop in self._renderer.decode(ids) for stop in wish.stop):
                break
        sampled = [{token: Logprob(row[token].item())} for token, row in zip(ids, found, strict=True)]
        flat = FlatLogprobs(list(range(len(found[0]))), found[0].tolist()) if wish.flat_logprobs else None
        told = None if wish.prompt_logprobs is None else [None, *_of_prompt(_logits(model, prompt), prompt)]
        output = SimpleNamespace(token_ids=ids, logprobs=flat or (None if wish.logprobs is None else sampled))
        return SimpleNamespace(prompt_token_ids=prompt, prompt_logprobs=told, outputs=[output])


@torch.inference_mode()
def _logits(model: Any, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0]


def _next(logits: torch.Tensor, wish: SamplingParams, draw: torch.Generator) -> int:
    if wish.temperature == 0:
        return int(logits.argmax())
    return int(torch.multinomial(torch.softmax(logits / wish.temperature, -1), 1, generator=draw))


def _of_prompt(logits: torch.Tensor, prompt: list[int]) -> list[dict[int, Logprob]]:
    rows = torch.log_softmax(logits, -1)
    return [
        {token: Logprob(row[token].item(), int((row >= row[token]).sum()))} for token, row in zip(prompt[1:], rows, strict=False)
    ]  # fmt: skip


def install(monkeypatch: pytest.MonkeyPatch, device: str = "cpu") -> type[LLM]:
    """Put the stand-in where vLLM would be imported from, as a build for ``device``; return its own class of models."""
    made = type("LLM", (LLM,), {"alive": 0, "most_alive": 0, "wishes": []})
    content: dict[str, dict[str, Any]] = {
        "vllm": {"LLM": made, "SamplingParams": SamplingParams, "__version__": "0.32.0"},
        "vllm.platforms": {"current_platform": SimpleNamespace(device_type=device)},
        "vllm.lora": {},
        "vllm.lora.request": {"LoRARequest": LoRARequest},
        "vllm.distributed": {"cleanup_dist_env_and_memory": lambda: None},
    }
    for name, values in content.items():
        module = ModuleType(name)
        module.__dict__.update(values, __path__=[])
        monkeypatch.setitem(sys.modules, name, module)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
    for name in ("VLLM_NO_USAGE_STATS", "VLLM_ENABLE_V1_MULTIPROCESSING"):  # the engine sets them: put back afterwards
        monkeypatch.setenv(name, "")
    return made
