"""Do a run: ask the cache, load the models if something is missing, compute part after part, measure speed, compact.

Parts are written whole and in any order of kills: what is there is never computed again, and what is computed does not
depend on what was there. torch is imported only once it is known that something has to be computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.cluster import ClusterChoice
from core.errors import InputError
from core.evidence_cache import EvidenceCache, VariantIdentity, evidence_folder
from core.heads import find_heads
from core.jobs import environment
from core.jobs.budget import Budget
from core.jobs.computing import Computed, Computer
from core.jobs.held_models import HeldModels
from core.jobs.identities import SERVED_DEVICE_AND_DTYPE, identify
from core.jobs.loading import Loading
from core.jobs.lock import only_worker
from core.jobs.progress import Progress
from core.jobs.prompting import keeping_marks, note_answers, plan_run, settled, thinking_entry, write_prompts
from core.jobs.run_workspace import run_workspace
from core.jobs.some_prompts import some_prompts
from core.jobs.status import read_status
from core.plan import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, Part, Plan
from core.records import BASELINE, Evidence
from core.requests import Refusal
from core.served.plan import is_asked
from core.spec import ModelRef
from core.store import Run, evidence_table, write_json, write_table
from core.templates import renderer_of
from core.virtual_tokens import find_virtual_tokens

PREFLIGHT_PROMPTS, PREFLIGHT_TOKENS = 4, 256
PROBE_PROMPTS = 2
PROBE_TOKENS = 16


def evaluate(folder: Path, cluster: ClusterChoice | None = None) -> None:
    """Do the run in ``folder``, or go on with it: with the models of this process, or of a Ray cluster's workers.

    Raises:
        BusyError: another worker is at this run.
        InputError: the workspace around it or a model is not as the run needs it.
        OSError: the disk is full or the folder cannot be written; what was finished is kept.
    """
    run = Run(folder)
    with only_worker(folder):
        progress = Progress(folder, 0, read_status(run).warnings)
        try:
            evaluation = _Evaluation(run, progress, cluster)
            with evaluation.models:
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
    from core.jobs.own_launch import compute_own_metrics  # with pandas and scipy: over half of what a worker imports

    try:
        missing = compute_own_metrics(run, say=lambda sentence: progress.set(message=sentence))
    except InputError as error:
        missing = (str(error),)
    for sentence in missing:
        progress.warn(sentence)


class _Evaluation:
    """One run being done: what it needs to know at every step."""

    def __init__(self, run: Run, progress: Progress, cluster: ClusterChoice | None) -> None:
        self.run, self.progress, self.spec = run, progress, run.spec
        self.models = HeldModels(run, progress, cluster)
        self.workspace = run_workspace(run)
        self.base = self._local(self.spec.models.base, "models.base")
        checkpoints = self.spec.models.checkpoints
        self.checkpoints = {name: self._local(ref, f"models.checkpoints.{name}") for name, ref in checkpoints.items()}
        self.heads = find_heads(self.spec.models, self.workspace.adapter_folder, self.checkpoints)
        self.renderer = renderer_of(self.workspace, self.spec.models, self.base)
        self.environment: dict[str, Any] = {}
        self.budget = Budget(self.spec.ablation.minutes if self.spec.ablation else None)
        self.left_out: list[str] = []

    def _local(self, ref: ModelRef, key: str) -> Path:
        location = self.workspace.model_location(ref)
        if isinstance(location, Path):
            return location
        if BASELINE in self.spec.models.served:  # its server has the weights
            return self.workspace.resolve(ref.path)
        from core.engine.hub import fetch  # the Hub is asked only for a base that is not on this disk

        return fetch(location, self.progress.set, key=key, revision=ref.revision)

    def go(self) -> None:
        """Everything, in order."""
        if self._is_whole():  # of whatever version: nothing is planned that was computed before
            self.run.compact()
            return
        before = self.run.read_json("environment")
        thinking = thinking_entry(self.spec, self.renderer) if before is None else before.get("thinking")
        self.spec, self.renderer = settled(self.spec, thinking), keeping_marks(self.renderer, thinking)
        device, dtype = self.models.device_and_dtype(self.spec.settings)
        if not self.spec.models.computed_here:
            device, dtype = SERVED_DEVICE_AND_DTYPE
        now = environment.describe(self.workspace, self.spec, self.base, self.checkpoints)
        now |= {"device": device, "dtype": dtype, "tokenizer": self.renderer.fingerprint}
        if self.spec.models.served:
            from core.jobs.served import described  # with a client of HTTP

            now |= described(self.spec.models)
        budget = self.spec.settings.batch_tokens or (CPU_BATCH_TOKENS if device == "cpu" else GPU_BATCH_TOKENS)
        budget = budget if before is None else before["batch_tokens"]
        virtual_tokens = find_virtual_tokens(self.spec.models, self.workspace.adapter_folder)
        plan = plan_run(self.run, self.spec, self.renderer, budget, self.heads, virtual_tokens)
        if before is None:
            for sentence in write_prompts(self.run, self.spec, self.renderer, plan, thinking):
                self.progress.warn(sentence)
            self.environment = now | {"thinking": thinking, "batch_tokens": budget, "plan": plan.fingerprint}
            write_json(self.run.folder / "environment.json", self.environment)
        else:
            environment.check_unchanged(before, now | {"plan": plan.fingerprint}, self.run.folder)
            self.environment = before
        self.models.describe(self.environment, self.renderer, self._loading)
        self._compute(plan)
        if self.left_out:
            return
        if self.spec.settings.probe and self.run.read_json("probe") is None:
            self._probe(plan)
        self.progress.set(message="Writing the evidence together")
        self.run.compact()
        for sentence in note_answers(self.run, self.renderer):
            self.progress.warn(sentence)

    def _is_whole(self) -> bool:
        measured = not self.spec.settings.probe or self.run.read_json("probe") is not None
        return (self.run.folder / "evidence.parquet").is_file() and measured

    def _identity(self, variant: str) -> VariantIdentity:
        return identify(self.spec.models, self.environment, variant)

    def _compute(self, plan: Plan) -> None:
        folder, renderer = evidence_folder(self.workspace.folder), self.renderer
        cache = EvidenceCache(
            folder, self.spec.settings, renderer.fingerprint, renderer.stop_ids,
            base_name=self.spec.models.base.path, warn=self.progress.warn,
        )  # fmt: skip
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
            server = self.spec.models.server_of(variant)
            table = cache.get(self._identity(variant), part, variant) if server is None or server.reuse else None
            if table is None:
                missing.append((variant, part))
                continue
            write_table(self.run.part_path(variant, part.index), table)
            self.progress.advance(part.asked, reused=part.asked)
        for variant in variants:
            refusals = [r for r in plan.refusals if r.variants is None or variant in r.variants]
            self._write_refusals(variant, refusals, len(plan.parts))
        self._preflight(plan)
        self.progress.expect(sum(part.tokens for _, part in missing))
        work = {v: [part for other, part in missing if other == v] for v in variants}
        self._compute_missing({variant: parts for variant, parts in work.items() if parts}, cache)

    def _is_asked(self, variant: str, part: Part) -> bool:
        """Tell whether a variant is asked a part of the plan: an ablation changes prompts for whole adapters alone."""
        if not is_asked(self.spec.models, variant, part):
            return False
        ablation = self.spec.ablation
        if ablation is None or variant in (BASELINE, *ablation.whole):
            return True
        return part.batches[0].requests[0].task in self.spec.clean_tasks

    def _compute_missing(self, work: Mapping[str, Sequence[Part]], cache: EvidenceCache) -> None:
        """Compute what is missing, if anything is; under a budget one variant after the other, as long as it lasts."""
        if not work:
            return
        if self.spec.ablation is None:
            self._store(self._computer().compute(work), cache)
            return
        for variant, parts in work.items():
            tokens = sum(part.tokens for part in parts)
            if not self.budget.allows(tokens):
                self.left_out.append(variant)
                continue
            self.models.holder()  # before the clock runs, which is to tell a variant's pace
            self.budget.begin()
            self._store(self._computer().compute({variant: parts}), cache)
            self.budget.end(tokens)

    def _computer(self) -> Computer:
        """Return who computes this run's parts."""
        models = self.spec.models
        if not models.served:
            return self.models.computer()
        from core.jobs.served import DividedComputer, ServedComputer

        served = ServedComputer(models, self.spec.settings, self.progress.set, self.progress.warn)
        return DividedComputer(self.models.computer, served, models)

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

    def _loading(self) -> Loading:
        adapters = self.spec.models.adapters
        folders = {name: (self.workspace.adapter_folder(ref.of or name), ref.scale) for name, ref in adapters.items()}
        return Loading(
            self.base, folders, self.checkpoints, self.environment["device"], self.environment["dtype"], self.spec.settings,
            parts={name: ref.part for name, ref in adapters.items() if ref.part}, mixtures=self.spec.models.mixtures,
            threads=self.environment.get("threads", self.spec.settings.threads), heads=self.heads,
            quantised=self.spec.models.quantised,
        )  # fmt: skip

    def _preflight(self, plan: Plan) -> None:
        """Check every adapter before its numbers are made; findings of a run whose evidence was all found are kept too."""
        found = self.run.read_json("preflight")
        if found is None:
            found = {"variants": self._checked(plan)}
            write_json(self.run.folder / "preflight.json", found)
        entries = found["variants"]
        found = [(name, finding) for name, entry in entries.items() for finding in entry["findings"]]
        faults = [f"adapter {name!r}: {finding['sentence']}" for name, finding in found if finding["level"] == "error"]
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
                prompts = some_prompts(plan, self.spec, PREFLIGHT_PROMPTS, tokens=PREFLIGHT_TOKENS)
                write_json(path, self.models.holder().preflight(name, prompts, self.base))
            entries[name] = json.loads(path.read_text(encoding="utf-8"))
        return entries

    def _probe(self, plan: Plan) -> None:
        prompts = some_prompts(plan, self.spec, PROBE_PROMPTS)
        if not prompts or not self.spec.models.computed_here:
            return
        self.progress.set(state="probing", message="Measuring speed and memory, each variant alone")
        tokens = min(PROBE_TOKENS, self.spec.settings.max_new_tokens)
        probed = [name for name in self.spec.models.computed_here if name not in self.heads]
        result = self.models.holder().probe(probed, prompts, tokens, self._probing)
        write_json(self.run.folder / "probe.json", result)

    def _probing(self, done: int, total: int) -> None:
        self.progress.set(message=f"Measuring speed and memory, each variant alone: {done} of {total}")
