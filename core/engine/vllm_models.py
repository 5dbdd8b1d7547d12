"""One base, its LoRA adapters and its checkpoints in the hands of vLLM, in this process.

The only module that imports vLLM, and not before a model is asked for. Written against vLLM 0.32 and 0.33.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from core.adapters import read_adapter
from core.adapters.vllm_kinds import rank_for
from core.data.prompt import PromptRenderer
from core.engine.models import AdapterSource
from core.errors import InputError, RunError
from core.records import BASELINE
from core.spec import Settings

TOKENS_AT_A_TIME = 2_048
"""Of all prompts in one step: for the log-likelihoods of prompts vLLM holds that many rows of logits over the whole vocabulary."""
_GPU_SHARE, _GPU_SPARE, _CPU_SHARE = 0.88, 0.04, 0.25
"""Of the memory: what vLLM sets aside on a GPU, what of the free memory it leaves alone, and what it sets aside on a processor."""
_SENTENCE = 400


@dataclass(frozen=True)
class VllmVariant:
    """The model that is in memory as one variant. It holds no model itself: an old one must not outlive its turn."""

    models: VllmModels
    lora: Any | None
    """The ``LoRARequest`` of the adapter that is on, if one is."""

    @property
    def room(self) -> int:
        """How many tokens one sequence may have, prompt and answer together."""
        return self.models.llm.model_config.max_model_len

    def ask(self, prompts: Sequence[tuple[int, ...]], wishes: Sequence[Any]) -> list[Any]:
        """Return a ``RequestOutput`` for each prompt, asked with its ``SamplingParams``; nothing is left of earlier prompts.

        Raises:
            RunError: vLLM gave up.
        """
        # What was computed of earlier prompts would move last bits by what happened to be asked before.
        self.models.llm.reset_prefix_cache()
        given = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        try:
            return self.models.llm.generate(given, list(wishes), use_tqdm=False, lora_request=self.lora)
        except (RuntimeError, ValueError) as error:
            raise RunError(f"vLLM gave up: {_told(error)}. What it printed before is in log.txt.") from error


class VllmModels:
    """A base with adapters, or one checkpoint: one model is in memory at a time."""

    def __init__(
        self, base: Path, adapters: Mapping[str, AdapterSource], checkpoints: Mapping[str, Path], device: str, dtype: str,
        settings: Settings, renderer: PromptRenderer,
    ) -> None:  # fmt: skip
        """Load the base and its adapters.

        Raises:
            InputError: vLLM is not installed or was built for another device, or cannot load the base or an adapter.
        """
        self.adapters, self.checkpoints = adapters, checkpoints
        self._base, self._dtype, self._settings, self._renderer = base, dtype, settings, renderer
        self._vllm, self._kind = import_vllm(), torch.device(device).type
        self._check_platform()
        self._loaded: tuple[Path, Any] | None = None
        self._requests: dict[str, Any] = {}
        with self.variant(BASELINE):
            pass

    @contextmanager
    def variant(self, name: str) -> Iterator[VllmVariant]:
        """Yield the model as the named variant; an adapter at scale 0 is the baseline.

        Raises:
            InputError: vLLM cannot load it.
        """
        self._use(self.checkpoints.get(name, self._base))
        is_on = name in self.adapters and self.adapters[name].scale != 0
        yield VllmVariant(self, self._request(name) if is_on else None)

    @property
    def llm(self) -> Any:
        """The ``LLM`` that is in memory."""
        assert self._loaded is not None, "use a variant first"
        return self._loaded[1]

    def sampling(self, **wishes: Any) -> Any:
        """Return vLLM's ``SamplingParams``: tokens alone, and an answer ends where ``stop_token_ids`` say, as for all engines."""
        return self._vllm.SamplingParams(**{"ignore_eos": True, "detokenize": False} | wishes)

    def keys_not_loaded(self, _name: str) -> list[str]:
        """Return nothing: vLLM refuses an adapter of whose tensors one has no place."""
        return []

    def _check_platform(self) -> None:
        found = self._vllm.platforms.current_platform.device_type
        if found != self._kind:
            built = f"runs on {found!r} here" if found else "finds no device that it was built for"
            raise InputError(
                f"settings.engine: vllm: vLLM {self._vllm.__version__} {built}, and settings.device means {self._kind!r}. It wants a GPU; "
                "without one use engine: transformers."
            )

    def _use(self, folder: Path) -> None:
        if self._loaded is None or self._loaded[0] != folder:
            self.close()
            self._loaded = folder, self._load(folder)

    def _load(self, folder: Path) -> Any:
        loras = self._lora_wishes() if folder == self._base else {}
        try:
            return self._vllm.LLM(
                model=str(folder), tokenizer=str(self._base), dtype=self._dtype, seed=self._settings.seed,
                # A tokenizer is needed for stop strings alone: all else is tokens, on both sides.
                skip_tokenizer_init=not self._settings.stop,
                # The model's own sampling habits and ends of text would be mixed into what a run asks for.
                generation_config="vllm", max_model_len=-1, max_logprobs=-1, enable_prefix_caching=True,
                gpu_memory_utilization=self._memory_share(), max_num_batched_tokens=TOKENS_AT_A_TIME,
                **loras,
            )  # fmt: skip
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise InputError(
                f"vLLM cannot load {folder}: {_told(error)}. With engine: transformers it may be evaluated."
            ) from error

    def _lora_wishes(self) -> dict[str, Any]:
        """Return what vLLM has to know of all adapters before it loads the base: one of them is on at a time."""
        used = [read_adapter(source.folder) for source in self.adapters.values() if source.scale != 0]
        if not used:
            return {}
        rank = rank_for(max(facts.ranks[-1] for facts in used))
        # Without names vLLM puts its LoRA arithmetic around the output layer too, which fails where prompts have log-likelihoods.
        names = sorted({name for facts in used for name in facts.module_names})
        wishes = {"max_loras": 1, "max_cpu_loras": len(used), "max_lora_rank": rank, "lora_target_modules": names}
        return {"enable_lora": True} | wishes

    def _memory_share(self) -> float:
        """Return the share of the device's memory that vLLM may set aside, where others may be at it too."""
        if self._kind != "cuda":
            return _CPU_SHARE
        free, total = torch.cuda.mem_get_info()
        return max(0.05, min(_GPU_SHARE, free / total - _GPU_SPARE))

    def _request(self, name: str) -> Any:
        """Return what names an adapter to vLLM, which has loaded it then."""
        if name not in self._requests:
            folder = self.adapters[name].folder
            request = import_module("vllm.lora.request").LoRARequest(name, len(self._requests) + 1, str(folder))
            try:
                self.llm.llm_engine.add_lora(request)
            except (RuntimeError, ValueError, OSError, KeyError) as error:
                raise InputError(f"adapter {name!r}: vLLM cannot load {folder}: {_told(error)}.") from error
            self._requests[name] = request
        return self._requests[name]

    def close(self) -> None:
        """Let go of the model that is in memory."""
        if self._loaded is None:
            return
        self._requests.clear()
        self._loaded[1].llm_engine.engine_core.shutdown()
        self._loaded = None
        gc.collect()
        import_module("vllm.distributed").cleanup_dist_env_and_memory()


def import_vllm() -> ModuleType:
    """Return the package, told to stay in this process and to report its use to nobody.

    Raises:
        InputError: it is not installed, or its parts do not fit together.
    """
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    # A process of its own would outlive a killed worker, and schedule by the clock.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    try:
        vllm = import_module("vllm")
        import_module("vllm.platforms")
    except ImportError as error:
        raise InputError(
            f"settings.engine: vllm: the package vllm cannot be imported ({error}). Install it with pip install 'lorascope[vllm]', in an "
            "environment of its own; it wants a GPU. Without one use engine: transformers."
        ) from None
    return vllm


def _told(error: BaseException) -> str:
    """Return what an exception says, on one line."""
    return " ".join(str(error).split())[:_SENTENCE].rstrip(".") or type(error).__name__
