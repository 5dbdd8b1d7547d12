"""A finished run in a workspace with a metric of its own, for tests; and what it takes to run the code in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.own.files import find_own_metrics
from core.records import BASELINE
from core.store import Run
from tests.core import mini

WORKSPACE = """\
models:
  base: {{path: base}}
datasets:
  data: {{path: data.jsonl}}
tasks:
  reply:
    dataset: data
    kind: {kind}
    prompt: "{{text}}"
    reference: label
    metrics: {metrics}
"""
SHARE_OF_A = """\
LABEL = "Share of a"
UNIT = "share"

def statistics(predictions, references):
    return [("a" in text, 1) for text in predictions]

def value(sums):
    return sums[..., 0] / sums[..., 1]
"""
BASE_TEXTS = ("b", "a", "谢谢", "", "b", "a b", "c", "b") * 4
LORA_TEXTS = ("a", "a", "谢谢 a", "", "a", "a b", "a", "b") * 4


def make(
    folder: Path,
    code: str | None = SHARE_OF_A,
    name: str = "mine",
    finished: bool = True,
    metrics: tuple[str, ...] = (),
    **task,
) -> Run:
    """Write a workspace and a run of it: texts of the baseline and one adapter, one of which is missing."""
    metrics = metrics or ("exact_match", name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workspace.yaml").write_text(WORKSPACE.format(kind="generation", metrics=list(metrics)))
    if code is not None:
        (folder / "metrics").mkdir(exist_ok=True)
        (folder / "metrics" / f"{name}.py").write_text(code, encoding="utf-8")
    own = {name: one.fingerprint for name, one in find_own_metrics(folder).items()}
    tasks = {"reply": mini.task("generation", metrics=metrics, **task)}
    spec = mini.spec(tasks, own_metrics=own)
    examples = [mini.example("reply", number, "a", ()) for number in range(len(BASE_TEXTS))]
    evidence = [
        mini.failed("reply", variant, number, "too long")
        if (variant, number) == ("lora", 9)
        else mini.said("reply", variant, number, text)
        for variant, texts in ((BASELINE, BASE_TEXTS), ("lora", LORA_TEXTS))
        for number, text in enumerate(texts)
    ]
    return mini.write(folder / "runs" / "mini", spec, examples, evidence, finished)


@contextmanager
def clean_imports() -> Iterator[None]:
    """Undo what a worker does to the interpreter that it has for itself."""
    finders, modules = list(sys.meta_path), set(sys.modules)
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        for name in [name for name in sys.modules if name not in modules and name.startswith("lorascope_own")]:
            del sys.modules[name]
