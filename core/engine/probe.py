"""Measure speed and memory: one variant alone, warmed up, variants interleaved, five repeats, never from a cache.

Batches and caches that variants share have no speed of their own, so efficiency cannot be read off the evaluation itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import torch
from transformers import DynamicCache

from core.engine.device import synchronise
from core.engine.energy import EnergyMeter
from core.engine.models import Models
from core.engine.seq2seq import Stepper, is_seq2seq

REPEATS = 5


@dataclass(frozen=True)
class ProbeRepeat:
    """One answer of one variant, alone on the machine."""

    variant: str
    repeat: int
    prompt: int
    n_prompt_tokens: int
    n_new_tokens: int
    seconds_to_first_token: float
    seconds: float
    cpu_seconds: float
    """Of the whole process, its threads added up, user and system."""
    peak_host_bytes: int
    """Of the process's resident memory."""
    peak_gpu_bytes: int | None
    """Of the GPU's memory as torch counts its own tensors; None without a GPU that torch counts for."""
    energy_joules: float | None
    """Of the whole GPU; None where its driver does not tell."""
    peak_bytes: int
    """Of the GPU's memory where there is one, else the process's resident memory."""


def probe(
    models: Models, variants: Sequence[str], prompts: Sequence[tuple[int, ...]], *, new_tokens: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:  # fmt: skip
    """Return the content of probe.json: the settings and one record a repeat, variant and prompt.

    Every answer has exactly ``new_tokens`` tokens, so that variants that answer at different length stay comparable.
    ``progress`` is called with (done, total) variants x repeats.
    """
    repeats: list[ProbeRepeat] = []
    total = len(variants) * (REPEATS + 1)
    done = 0
    with EnergyMeter(models.device) as energy:
        for repeat in range(-1, REPEATS):  # -1 warms up
            shift = repeat % len(variants)
            for variant in [*variants[shift:], *variants[:shift]]:
                with models.variant(variant) as model:
                    measured = [
                        _measure(model, energy, variant, repeat, place, prompt, new_tokens)
                        for place, prompt in enumerate(prompts)
                    ]
                if repeat >= 0:
                    repeats += measured
                done += 1
                progress(done, total)
    settings = {
        "repeats": REPEATS, "prompts": len(prompts), "new_tokens": new_tokens, "batch": 1, "warmed_up": True,
        "device": str(models.device), "dtype": str(models.dtype).removeprefix("torch."), "threads": torch.get_num_threads(),
        "energy": energy.reason or "NVML",
    }  # fmt: skip
    return {"settings": settings, "repeats": [asdict(repeat) for repeat in repeats]}


@torch.inference_mode()
def _measure(
    model: Any, energy: EnergyMeter, variant: str, repeat: int, place: int, prompt: tuple[int, ...], new_tokens: int
) -> ProbeRepeat:
    device = energy.device
    step_of = _seq2seq_steps if is_seq2seq(model.config) else _causal_steps
    with _PeakMemory(device) as memory:
        synchronise(device)
        joules, cpu = energy.joules(), time.process_time()
        started = time.perf_counter()
        first = started
        for step, _ in zip(range(new_tokens), step_of(model, prompt, device), strict=False):
            if step == 0:
                synchronise(device)
                first = time.perf_counter()
        synchronise(device)
        ended = time.perf_counter()
        cpu, joules_after = time.process_time() - cpu, energy.joules()
    return ProbeRepeat(
        variant=variant, repeat=repeat, prompt=place, n_prompt_tokens=len(prompt), n_new_tokens=new_tokens,
        seconds_to_first_token=first - started, seconds=ended - started, cpu_seconds=cpu,
        peak_host_bytes=memory.host_bytes, peak_gpu_bytes=memory.gpu_bytes,
        energy_joules=None if joules is None or joules_after is None else joules_after - joules,
        peak_bytes=memory.host_bytes if memory.gpu_bytes is None else memory.gpu_bytes,
    )  # fmt: skip


def _causal_steps(model: Any, prompt: tuple[int, ...], device: torch.device) -> Iterator[None]:
    tokens = torch.tensor([prompt], device=device)
    cache = DynamicCache(config=model.config)
    while True:
        output = model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
        tokens = output.logits[:, -1].argmax(dim=-1)[:, None]
        yield


def _seq2seq_steps(model: Any, prompt: tuple[int, ...], device: torch.device) -> Iterator[None]:
    stepper = Stepper(model, [prompt], device)
    while True:
        stepper.go_on(stepper.logits().argmax(dim=-1), (0,))
        yield


class _PeakMemory:
    """The most memory in use while the block ran: the GPU's own count, and the resident size sampled every 5 ms."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.host_bytes = 0
        self.gpu_bytes: int | None = None
        self._stop = threading.Event()

    def __enter__(self) -> _PeakMemory:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self.host_bytes = max(self.host_bytes, process.memory_info().rss)
            if self._stop.wait(0.005):
                return

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.device.type == "cuda":
            self.gpu_bytes = torch.cuda.max_memory_allocated(self.device)
