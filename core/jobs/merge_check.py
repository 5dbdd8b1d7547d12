"""The job that merges an adapter into a copy of its base and says what that moves, in float32, bfloat16 and, if asked, 4 bits."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.adapters import AdapterFacts, read_adapter
from core.adapters.kept import read_request, save_result
from core.adapters.merge import ON_4_BITS, MergeCheck, MergeRow, model_name
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.heads import TASK_TYPE
from core.jobs.merge_answers import MergeAnswers
from core.jobs.progress import Progress
from core.jobs.prompting import keeping_marks
from core.jobs.run_workspace import run_workspace
from core.spec import Settings
from core.store import Run
from core.templates import chosen_template

if TYPE_CHECKING:
    from core.engine.merge import Observed
    from core.engine.session import Session

NEW_TOKENS = 32
_UNMERGED, _MERGED = "unmerged", "merged"
_EXACT = "float32"
_ADAPTER = "looked-at"
"""The adapter's name within the check."""


def merge_check(folder: Path) -> None:
    """Check what the request in ``folder`` names, and store the result beside it.

    Raises:
        InputError: a model is gone or cannot be loaded, or there is nothing to ask it.
    """
    request = read_request(folder)
    progress = Progress(folder, total=0)
    try:
        facts = read_adapter(Path(request["adapter"]))
        if not facts.is_lora:
            raise InputError(f"{facts.folder}: found peft_type {facts.peft_type}; merging is checked for LoRA.")
        if facts.config.get("task_type") == TASK_TYPE:
            raise InputError(
                f"{facts.folder}: a classification head ({TASK_TYPE}); merging is checked for language models."
            )
        progress.set(state="loading", message=f"Loading the base and {facts.folder.name}")
        save_result(folder, _Check(folder, request, facts, progress).result())
    except BaseException:
        progress.stop()
        raise
    progress.finish(state="finished", message="Checked.")


class _Check:
    """One request being worked on. The base is loaded once for each precision, whatever is asked of it."""

    def __init__(self, folder: Path, request: dict[str, Any], facts: AdapterFacts, progress: Progress) -> None:
        from core.engine.merge import PRECISIONS

        self.request, self.facts, self.progress, self.precisions = request, facts, progress, PRECISIONS
        self.base, self.scale = Path(request["base"]), float(request["scale"])
        examples: dict[str, list[str]] = request.get("examples") or {}
        source = Run(Path(request["run_folder"])) if examples else None
        self.renderer = PromptRenderer(self.base) if source is None else _renderer_of(source, self.base)
        self.prompts = [ids for text in request["prompts"] if (ids := self.renderer.encode(text).ids)]
        if not self.prompts:
            raise InputError("There is no prompt to ask: the run has none with text. Choose a run with prompts.")
        self.names = [model_name(state, name) for name in PRECISIONS for state in (_UNMERGED, _MERGED)]
        self.not_on_4_bits = self._why_not_on_4_bits()
        self.names += [ON_4_BITS] if request.get("quantised") and not self.not_on_4_bits else []
        self.answers = None if source is None else MergeAnswers(folder, self.names, source, examples)
        self.settings = Settings() if source is None else source.spec.settings
        self.rows: list[MergeRow] = []

    def result(self) -> MergeCheck:
        """Ask every model, and hold it against what it should be."""
        device, exact, session = "", None, None
        for precision in self.precisions:
            session = None  # of two precisions one is in memory at a time
            gc.collect()
            session = self._session(precision)
            device = str(session.models.device)
            unmerged = self._in(session, precision)
            if exact is None:
                exact = unmerged
            else:
                self._held(model_name(_UNMERGED, precision), unmerged, model_name(_UNMERGED, _EXACT), exact)
        if self.request.get("quantised") and session is not None and exact is not None:
            self._on_4_bits(session, exact)
        answered = 0 if self.answers is None else self.answers.finish()
        return MergeCheck(
            self.facts.tensor_hash, tuple(self.rows), str(self.request["run"]), device, NEW_TOKENS, answered
        )

    def _session(self, precision: str) -> Session:
        from core.engine.session import Session

        self.progress.set(state="running", message=f"Merged and unmerged in {precision}")
        session = Session(
            self.base, {_ADAPTER: (self.facts.folder, self.scale)}, {}, "auto", precision, self.settings, self.renderer,
            warn=self.progress.warn,
        )  # fmt: skip
        if self.answers is not None:
            plan = self.answers.planned(self.renderer, session.models.device.type)
            session.decide_trees(plan.parts)
        self._count(session)
        return session

    def _count(self, session: Session) -> None:
        """Say how much there is to do, once that is known."""
        if self.progress.status.total:
            return
        asked = 0
        if self.answers is not None:
            plan = self.answers.planned(self.renderer, session.models.device.type)
            asked = sum(part.asked for part in plan.parts)
            self.progress.expect(len(self.names) * sum(part.tokens for part in plan.parts))
        self.progress.set(total=len(self.names) * (1 + asked))

    def _in(self, session: Session, precision: str) -> Observed:
        """Ask the unmerged and the merged model in one precision; return what the unmerged one says."""
        from core.engine.merge import unmerged_and_merged

        observed = [
            self._observed(session, model, model_name(state, precision))
            for state, model in unmerged_and_merged(session.models, _ADAPTER)
        ]
        self._held(model_name(_MERGED, precision), observed[1], model_name(_UNMERGED, precision), observed[0])
        return observed[0]

    def _observed(self, session: Session, model: Any, name: str) -> Observed:
        from core.engine.merge import observe

        found = observe(model, session.models.device, self.prompts, NEW_TOKENS, self.renderer.stop_ids)
        self.progress.advance(1)
        if self.answers is not None:
            self.progress.set(message=f"Examples: {name}")
            self.answers.ask(session, model, name, self.progress)
        return found

    def _held(self, name: str, found: Observed, against: str, other: Observed) -> None:
        from core.engine.merge import held_against

        self.rows.append(held_against(name, found, against, other))

    def _on_4_bits(self, session: Session, exact: Observed) -> None:
        """Hold the adapter on a quantised base against the adapter on the whole one; or say why that cannot be told.

        ``session`` is that of bfloat16, kept beside it: the two together take less memory than the base in float32 did.
        """
        from core.engine.merge import load_on_quantised

        against, reason = model_name(_UNMERGED, _EXACT), self.not_on_4_bits
        self.progress.set(message="The adapter on a base in 4 bits")
        try:
            if not reason:
                model = load_on_quantised(self.base, self.facts.folder, session.models.device)
                self._held(ON_4_BITS, self._observed(session, model, ON_4_BITS), against, exact)
        except InputError as error:
            reason = str(error)
        if reason:
            self.rows.append(MergeRow(ON_4_BITS, against, reason=reason))

    def _why_not_on_4_bits(self) -> str:
        if find_spec("bitsandbytes") is None:
            return "bitsandbytes is not installed; pip install bitsandbytes."
        return "" if self.scale == 1.0 else f"looked at for a scale of 1 alone; here it is {self.scale:g}."


def _renderer_of(source: Run, base: Path) -> PromptRenderer:
    """Return the tokenizer as a run asked with it: its chat template, and the marks that stay in its answers."""
    models = source.spec.models
    template = None if models.template is None else chosen_template(run_workspace(source), models)
    return keeping_marks(PromptRenderer(base, template), (source.read_json("environment") or {}).get("thinking"))
