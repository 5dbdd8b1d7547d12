"""Do a run: ask the cache, load the models if something is missing, compute part after part, measure speed, compact.

Parts are written whole and in any order of kills: what is there is never computed again, and what is computed does not
depend on what was there. torch is imported only once it is known that something has to be computed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.evidence_cache import EvidenceCache, VariantIdentity
from core.jobs import environment
from core.jobs.budget import Budget
from core.jobs.computing import Computed, Computer, LocalComputer
from core.jobs.device_choice import device_and_dtype
from core.jobs.identities import identify
from core.jobs.own_launch import compute_own_metrics
from core.jobs.progress import Progress
from core.jobs.status import read_status
from core.plan import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, Part, Plan, make_plan
from core.records import BASELINE, Evidence
from core.rendering import with_prompts
from core.requests import GenerateRequest, Refusal
from core.spec import ModelRef, RunSpec
from core.store import Run, evidence_table, write_json, write_table
from core.workspace import Workspace, load_workspace

if TYPE_CHECKING:
    from core.engine.session import Session

PROBE_PROMPTS = 2
PROBE_TOKENS = 16


class BusyError(InputError):
    """Another worker is at the run: its status is not ours to write."""


def evaluate(folder: Path) -> None:
    """Do the run in ``folder``, or go on with it.

    Raises:
        BusyError: another worker is at this run.
        InputError: the workspace around it or a model is not as the run needs it.
        OSError: the disk is full or the folder cannot be written; what was finished is kept.
    """
    run = Run(folder)
    # A lock of the process: it goes when the process does. Open for writing, as NFS wants of an exclusive lock.
    with (folder / "spec.json").open("r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{folder}: another worker is at this run already.") from None
        progress = Progress(folder, 0, read_status(run).warnings)
        try:
            evaluation = _Evaluation(run, progress)
            evaluation.go()
            if not evaluation.left_out:
                _own_metrics(run, progress)
        except BaseException:  # the worker says what happened; a beat after that would write over it
            progress.stop()
            raise
        if left_out := tuple(evaluation.left_out):
            progress.finish(state="cancelled", message=evaluation.budget.sentence(left_out), left_out=left_out)
        else:
            progress.finish(state="finished", message="Finished")


def _own_metrics(run: Run, progress: Progress) -> None:
    """Compute the workspace's own metrics where they are trusted; the run is finished without them too."""
    if not run.spec.own_metrics:
        return
    try:
        missing = compute_own_metrics(run, say=lambda sentence: progress.set(message=sentence))
    except InputError as error:
        missing = (str(error),)
    for sentence in missing:
        progress.warn(sentence)


class _Evaluation:
    """One run being done: what it needs to know at every step."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.run, self.progress, self.spec = run, progress, run.spec
        self.workspace = workspace_of(run)
        self.base = self._local(self.spec.models.base, "models.base")
        checkpoints = self.spec.models.checkpoints
        self.checkpoints = {name: self._local(ref, f"models.checkpoints.{name}") for name, ref in checkpoints.items()}
        self.renderer = PromptRenderer(self.base)
        self.session: Session | None = None
        self.environment: dict[str, Any] = {}
        self.budget = Budget(self.spec.ablation.minutes if self.spec.ablation else None)
        self.left_out: list[str] = []

    def _local(self, ref: ModelRef, key: str) -> Path:
        location = self.workspace.model_location(ref)
        if isinstance(location, Path):
            return location
        from core.engine.hub import fetch  # the Hub is asked only for a base that is not on this disk

        return fetch(location, self.progress.set, key=key, revision=ref.revision)

    def go(self) -> None:
        """Everything, in order."""
        device, dtype = device_and_dtype(self.spec.settings)
        now = environment.describe(self.workspace, self.spec, self.base, self.checkpoints)
        now |= {"device": device, "dtype": dtype, "tokenizer": self.renderer.fingerprint}
        before = self.run.read_json("environment")
        if before is None:
            budget = self.spec.settings.batch_tokens or (CPU_BATCH_TOKENS if device == "cpu" else GPU_BATCH_TOKENS)
            plan = self._plan(self.run, budget)
            self.environment = now | {"batch_tokens": budget, "plan": plan.fingerprint}
            self.run.write_examples(with_prompts(self.run.examples, self.spec, self.renderer))
            write_json(self.run.folder / "environment.json", self.environment)
        else:
            plan = self._plan(self.run, before["batch_tokens"])
            environment.check_unchanged(before, now | {"plan": plan.fingerprint}, self.run.folder)
            self.environment = before
        self._compute(plan)
        if self.left_out:
            return
        if self.spec.settings.probe and self.run.read_json("probe") is None:
            self._probe(plan)
        self.progress.set(message="Writing the evidence together")
        self.run.compact()

    def _plan(self, run: Run, budget: int) -> Plan:
        """Return the plan; one without anything that can be asked is a mistake of the user's, and said so."""
        plan = make_plan(run.examples, self.spec, self.renderer, batch_tokens=budget)
        if not plan.parts:
            first = plan.refusals[0] if plan.refusals else None
            why = (
                f"task {first.task}, example {first.example_id}: {first.reason}"
                if first
                else "the tasks have no examples"
            )
            raise InputError(f"{run.folder}: nothing can be asked of this model. The first reason: {why}.")
        return plan

    def _identity(self, variant: str) -> VariantIdentity:
        return identify(self.spec.models, self.environment, variant)

    def _compute(self, plan: Plan) -> None:
        folder, renderer = self.workspace.folder / ".lorascope" / "evidence", self.renderer
        cache = EvidenceCache(folder, self.spec.settings, renderer.fingerprint, renderer.stop_ids)
        if (self.run.folder / "evidence.parquet").is_file():
            return
        variants = self.spec.models.variants
        asked = [(v, p) for v in variants for p in plan.parts if self._is_asked(v, p)]
        todo = [(v, p) for v, p in asked if not self.run.part_path(v, p.index).is_file()]
        self.progress.set(total=sum(part.asked for _, part in asked), state="running")
        before = sum(p.asked for _, p in asked) - sum(p.asked for _, p in todo)
        self.progress.advance(before, reused=before)
        missing = []
        for variant, part in todo:
            table = cache.get(self._identity(variant), part, variant)
            if table is None:
                missing.append((variant, part))
                continue
            write_table(self.run.part_path(variant, part.index), table)
            self.progress.advance(part.asked, reused=part.asked)
        for variant in variants:
            self._write_refusals(variant, plan.refusals, len(plan.parts))
        self._preflight(plan)
        self.progress.expect(sum(part.tokens for _, part in missing))
        work = {v: [part for other, part in missing if other == v] for v in variants}
        self._compute_missing({variant: parts for variant, parts in work.items() if parts}, cache)

    def _is_asked(self, variant: str, part: Part) -> bool:
        """Tell whether a variant is asked a part of the plan: an ablation changes prompts for whole adapters alone."""
        ablation = self.spec.ablation
        if ablation is None or variant in (BASELINE, *ablation.whole):
            return True
        return part.batches[0].requests[0].task in self.spec.clean_tasks

    def _compute_missing(self, work: Mapping[str, Sequence[Part]], cache: EvidenceCache) -> None:
        """Compute what is missing; under a budget one variant after the other, as long as it lasts."""
        if self.spec.ablation is None:
            self._store(self._computer().compute(work), cache)
            return
        for variant, parts in work.items():
            tokens = sum(part.tokens for part in parts)
            if not self.budget.allows(tokens):
                self.left_out.append(variant)
                continue
            self._loaded()  # before the clock runs, which is to tell a variant's pace
            self.budget.begin()
            self._store(self._computer().compute({variant: parts}), cache)
            self.budget.end(tokens)

    def _computer(self) -> Computer:
        """Return who computes this run's parts."""
        return LocalComputer(self._loaded, lambda: len(self.progress.status.warnings), self.progress.set)

    def _store(self, computed: Iterable[Computed], cache: EvidenceCache) -> None:
        for piece in computed:
            write_table(self.run.part_path(piece.variant, piece.part.index), piece.table)
            if piece.lasting:
                cache.put(self._identity(piece.variant), piece.part, piece.table)
            self.progress.advance(piece.part.asked, tokens=piece.part.tokens)

    def _write_refusals(self, variant: str, refusals: Sequence[Refusal], index: int) -> None:
        if refusals:
            pieces = [Evidence(r.task, variant, r.example_id, r.item, reason=r.reason) for r in refusals]
            write_table(self.run.part_path(variant, index), evidence_table(pieces))

    def _loaded(self) -> Session:
        if self.session is None:
            self.progress.set(state="loading", message="Loading the base model and its adapters")
            from core.engine.session import Session

            adapters = self.spec.models.adapters
            self.session = Session(
                self.base, {name: (self.workspace.adapter_folder(ref.of or name), ref.scale) for name, ref in adapters.items()},
                self.checkpoints, self.environment["device"], self.environment["dtype"], self.spec.settings, self.renderer,
                warn=self.progress.warn, parts={name: ref.part for name, ref in adapters.items() if ref.part},
                mixtures=self.spec.models.mixtures,
            )  # fmt: skip
        return self.session

    def _preflight(self, plan: Plan) -> None:
        """Check every adapter before its numbers are made; findings of a run whose evidence was all found are kept too."""
        found = self.run.read_json("preflight")
        if found is None:
            found = {"variants": self._checked(plan)}
            write_json(self.run.folder / "preflight.json", found)
        entries = found["variants"]
        faults = [
            f"adapter {n!r}: {f['sentence']}"
            for n, e in entries.items()
            for f in e["findings"]
            if f["level"] == "error"
        ]
        if faults:
            raise InputError(f"{' '.join(faults)} Mend it, or leave it out with --adapters, and start a new run.")

    def _checked(self, plan: Plan) -> dict[str, Any]:
        kept = self.workspace.folder / ".lorascope" / "preflight"
        entries: dict[str, Any] = {}
        # A part of an adapter is checked with the adapter; what it does or does not do is what is asked.
        for name in [name for name, ref in self.spec.models.adapters.items() if ref.is_whole]:
            identity = self._identity(name)
            # At scale 0 an adapter is the baseline, whose identity has no adapter; its files are checked all the same.
            checked = vars(identity) | {"adapter": identity.adapter or self.environment["hashes"]["adapters"][name]}
            path = kept / f"{hashlib.sha256(json.dumps(checked, sort_keys=True).encode()).hexdigest()}.json"
            if not path.is_file():
                self.progress.set(
                    state="preflight", variant=name, message=f"Checking the adapter {name} before anything is measured"
                )
                write_json(path, self._loaded().preflight(name, _some_prompts(plan, self.spec, 4), self.base))
            entries[name] = json.loads(path.read_text(encoding="utf-8"))
        return entries

    def _probe(self, plan: Plan) -> None:
        prompts = _some_prompts(plan, self.spec, PROBE_PROMPTS)
        if not prompts:
            return
        self.progress.set(state="probing", message="Measuring speed and memory, each variant alone")
        tokens = min(PROBE_TOKENS, self.spec.settings.max_new_tokens)
        result = self._loaded().probe(self.spec.models.variants, prompts, tokens, self._probing)
        write_json(self.run.folder / "probe.json", result)

    def _probing(self, done: int, total: int) -> None:
        self.progress.set(message=f"Measuring speed and memory, each variant alone: {done} of {total}")


def _some_prompts(plan: Plan, spec: RunSpec, count: int) -> list[tuple[int, ...]]:
    """Return prompts of middling length, evenly spread; of generation where there is any, and none that was perturbed."""
    clean = spec.clean_tasks
    requests = [r for part in plan.parts for batch in part.batches for r in batch.requests if r.task in clean]
    generating = [r.prompt for r in requests if isinstance(r, GenerateRequest)]
    prompts = sorted(set(generating or [r.prompt for r in requests]), key=lambda prompt: (len(prompt), prompt))
    middle = prompts[len(prompts) // 4 : max(len(prompts) // 4 + 1, len(prompts) * 3 // 4)]
    step = max(1, len(middle) // count)
    return middle[::step][:count]


def workspace_of(run: Run) -> Workspace:
    """Return the workspace whose runs folder the run lies in.

    Raises:
        InputError: it was copied away from its workspace: it can be viewed, but its models are not here.
    """
    folder = run.folder.resolve().parent.parent
    if not (folder / "workspace.yaml").is_file():
        raise InputError(
            f"{run.folder}: the run lies in no workspace (no workspace.yaml in {folder}): it can be viewed but not computed."
        )
    return load_workspace(folder)
