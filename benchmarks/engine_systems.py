"""One system of `benchmarks.engine`, in a process of its own: ``python -m benchmarks.engine_systems SYSTEM JOB.json OUT.json``."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CAP = 64
WORKLOADS = ("likelihood", "choice", "answer")


class Clock:
    """Wall and processor seconds, and the peak of memory above imports and weights."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}
        self.began = time.perf_counter(), time.process_time()

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add what is done inside to ``name``."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        before = self.seconds.get(name, (0.0, 0.0))
        self.seconds[name] = (before[0] + time.perf_counter() - wall, before[1] + time.process_time() - cpu)


def peak(device: str) -> int:
    """Return the most memory so far, in bytes: of a GPU what torch allocated there, else the process's resident memory."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident(device: str) -> int:
    """Return the memory now, as `peak` counts it."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.memory_allocated(device)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def harness(job: dict[str, Any], *, one_process: bool) -> dict[str, Any]:
    """Run lm-evaluation-harness: as its command line does, one variant a process; or one process, switching adapters."""
    clock = Clock()
    variants = job["variants"]
    with clock.of("load"):
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        given = {"device": job["device"], "dtype": job["dtype"], "batch_size": job["batch"]}
        if one_process:
            model = _with_adapters(job)
            lm = HFLM(pretrained=model, tokenizer=job["model"], **given)
        else:
            folder = variants[0]["folder"]
            lm = HFLM(pretrained=job["model"], **given, **({"peft": folder} if folder else {}))
            model = lm.model
        lm.tokenizer.pad_token_id = lm.tokenizer.pad_token_id or lm.tokenizer.eos_token_id
    ready = resident(job["device"])
    rows, found = job["rows"], {}
    for variant in variants:
        with _switched(model, variant["name"]) if one_process else contextlib.nullcontext():
            scores: dict[str, Any] = {}
            for name in job["workloads"]:
                asked = list(_asked(rows, name))
                requests = [Instance("x", {}, arguments, k) for k, arguments in enumerate(asked)]
                lm.batch_size_per_gpu = job["batch"] if name != "answer" else job["batch_answers"]
                with clock.of(name), contextlib.redirect_stderr(open(os.devnull, "w")):
                    if name == "answer":
                        scores[name] = lm.generate_until(requests)
                    else:
                        scores[name] = [score for score, _ in lm.loglikelihood(requests)]
            found[variant["name"]] = scores
    return {"seconds": clock.seconds, "ready": ready, "peak": peak(job["device"]), "found": found}


def _asked(rows: list[dict[str, Any]], name: str) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        if name == "likelihood":
            yield row["prompt"], " " + row["reference"]
        elif name == "choice":
            yield from ((row["prompt"], " " + option) for option in row["options"])
        else:
            yield row["prompt"], {"until": ["<|im_end|>"], "max_gen_toks": CAP, "do_sample": False}


def _with_adapters(job: dict[str, Any]) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(job["model"], dtype=getattr(torch, job["dtype"])).to(
        job["device"]
    )
    for variant in job["variants"]:
        if not variant["folder"]:
            continue
        if isinstance(model, PeftModel):
            model.load_adapter(variant["folder"], variant["name"])
        else:
            model = PeftModel.from_pretrained(model, variant["folder"], adapter_name=variant["name"])
    return model.eval()


@contextlib.contextmanager
def _switched(model: Any, name: str) -> Iterator[None]:
    if name == "baseline":
        with model.disable_adapter() if hasattr(model, "disable_adapter") else contextlib.nullcontext():
            yield
    else:
        model.set_adapter(name)
        yield


def plain(job: dict[str, Any]) -> dict[str, Any]:
    """Run plain transformers: ``generate`` in fixed batches, left-padded, sorted by length."""
    clock = Clock()
    with clock.of("load"):
        import torch
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(job["model"], padding_side="left")
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        model = _with_adapters(job)
    ready = resident(job["device"])
    prompts = sorted((row["prompt"] for row in job["rows"]), key=lambda prompt: -len(tokenizer(prompt)["input_ids"]))
    for variant in job["variants"]:
        with _switched(model, variant["name"]), clock.of("answer"), torch.inference_mode():
            for first in range(0, len(prompts), job["batch_answers"]):
                given = tokenizer(prompts[first : first + job["batch_answers"]], return_tensors="pt", padding=True)
                given = {key: value.to(job["device"]) for key, value in given.items()}
                model.generate(**given, max_new_tokens=CAP, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    return {"seconds": clock.seconds, "ready": ready, "peak": peak(job["device"]), "found": {}}


def best_batches(job: dict[str, Any]) -> dict[str, Any]:
    """Return the batch sizes with which the harness is fastest here: for scores and for answers, on a few prompts."""
    few = job | {"rows": job["rows"][:: max(1, len(job["rows"]) // 24)][:24], "variants": job["variants"][:1]}
    times: dict[str, dict[int, float]] = {"likelihood": {}, "answer": {}}
    on_gpu = job["device"].startswith("cuda")
    tried = (
        {"likelihood": (32, 64, 128), "answer": (32, 64)}
        if on_gpu
        else {"likelihood": (4, 8, 16), "answer": (8, 16, 24)}
    )
    for workload, sizes in tried.items():
        for size in sizes:
            ran = harness(few | {"batch": size, "batch_answers": size, "workloads": [workload]}, one_process=True)
            times[workload][size] = ran["seconds"][workload][0]
    return {"batch": min(times["likelihood"], key=times["likelihood"].__getitem__),
            "batch_answers": min(times["answer"], key=times["answer"].__getitem__), "times": times}  # fmt: skip


def ours(job: dict[str, Any]) -> dict[str, Any]:
    """Run lorascope's own worker on one task of a workspace: everything from finding the files to the finished run."""
    clock = Clock()
    with clock.of("load"):
        from core.jobs.evaluate import evaluate
        from core.jobs.held_models import HeldModels
        from core.prepare import Choice, prepare_run
        from core.workspace import load_workspace

        choice = Choice(tasks=tuple(job["workloads"]), adapters=tuple(job["adapters"]), name=job["name"])
        run = prepare_run(load_workspace(Path(job["workspace"])), choice)
    ready: list[int] = []
    loaded = HeldModels._loaded  # torch is imported in there: what comes before it would not be counted

    def noted(held: HeldModels) -> Any:
        model = loaded(held)
        ready.append(resident(job["device"]))
        return model

    HeldModels._loaded = noted
    with clock.of(job["workloads"][0]):
        evaluate(run.folder)
    return {
        "seconds": clock.seconds,
        "ready": ready[0] if ready else 0,
        "peak": peak(job["device"]),
        "folder": str(run.folder),
    }


SYSTEMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a": lambda job: harness(job, one_process=False),
    "b": lambda job: harness(job, one_process=True),
    "c": plain,
    "batches": best_batches,
    "ours": ours,
}


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(SYSTEMS[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))))
