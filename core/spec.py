"""What is asked: a workspace's models, datasets, tasks and settings, and the spec of a run.

Read from YAML by `core.workspace`; every mistake names the file, the key, what was found and what was expected.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import regex
from pydantic import Field, model_validator

from core.ablation_spec import AblationSpec
from core.model_set import NAME_PATTERN as NAME_PATTERN
from core.model_set import AdapterRef as AdapterRef
from core.model_set import ModelRef as ModelRef
from core.model_set import ModelSet, Name, Strict
from core.prompt_spec import GIVEN_VARIABLES, TemplateVariables, ThinkingMarks, TooLong, prompt_mistake
from core.records import BASELINE, FORMAT_VERSION, Kind

KINDS: tuple[str, ...] = get_args(Kind)
IMPORTED_KINDS = ("medical", "finance", "vision")
"""Kinds whose predictions come from elsewhere; a model is asked the other ones."""
Engine = Literal["transformers", "vllm"]
"""What computes a model's evidence in a run's own process."""


class DatasetSpec(Strict):
    """Where a dataset is and what its fields mean."""

    path: str
    train: str | None = None
    id: str = "id"
    """The field that names an example; rows without it are numbered from 1."""
    language: str | None = None
    """The field that names a row's language."""
    group: str | None = None
    """The field whose value rows share that belong together (statistics then go by cluster)."""
    tags: tuple[str, ...] = ()
    """Fields to filter and slice by."""


class AnswerRule(Strict):
    """How a label or number is read out of a generated text."""

    rule: Literal["option", "regex", "json", "contains"]
    pattern: str | None = None
    """For ``regex``: a regular expression; its first group, or else the whole match, is the answer."""
    field: str | None = None
    """For ``json``: the key of the first JSON object in the text; dots go deeper."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> AnswerRule:
        needed = {"regex": "pattern", "json": "field"}.get(self.rule)
        if needed and not getattr(self, needed):
            raise ValueError(f"rule {self.rule!r} needs the key {needed!r}")
        if self.pattern is not None:
            try:
                regex.compile(self.pattern)
            except regex.error as error:
                raise ValueError(f"pattern {self.pattern!r} is not a regular expression: {error}") from None
        return self


class FewShot(Strict):
    """One worked example shown before the question."""

    fields: dict[str, Any]
    answer: str


class PerturbationRef(Strict):
    """Says that a task is another one with its inputs disturbed; written by a run, never by a user."""

    of: str
    """The clean task, whose examples have the same ids."""
    name: str
    """The perturbation, see `core.data.perturb`."""
    seed: int = 0
    copy_number: int = 0
    """For the worst of k: which of the k copies this is."""


class TaskSpec(Strict):
    """A dataset, a kind, a prompt and its metrics."""

    dataset: str
    kind: Kind
    prompt: str | None = None
    """The user's message; ``{field}`` is a field of the row, ``{option}`` (multilabel) the tag that is asked about."""
    messages: str | None = None
    """In place of ``prompt``: the field with a conversation, a list of ``{role, content}``; an assistant's turn at its end is
    not part of the prompt, and is the reference where ``reference`` names this field too."""
    tools: str | tuple[dict[str, Any], ...] | None = None
    """Tools on offer, as JSON schemas: the field that lists them for each row, or the list itself."""
    system: str | None = None
    """The system message; a conversation that has its own keeps that."""
    template: Literal["chat", "none"] = "chat"
    """``none`` gives the prompt to the model as it is, without the chat template."""
    template_variables: TemplateVariables = {}
    """Variables that the chat template is given (``enable_thinking: false``), over those of the settings."""
    options: tuple[str | int | float, ...] | str | None = None
    """The options themselves, or ``"{field}"``: the field that lists them for each row."""
    reference: str
    """The field with the right answer."""
    metrics: tuple[str, ...] = ()
    primary: tuple[str, ...] | None = None
    """The metrics whose p-values form the run's family; by default all of ``metrics``."""
    answer: AnswerRule | None = None
    """Given: the model generates and the answer is read by this rule. Not given: options are scored."""
    few_shot: tuple[FewShot, ...] = ()
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Of a task that generates: its own temperature; None is the one of the settings."""
    bands: dict[str, float] = {}
    """Metric to equivalence band: two variants count as the same when the interval of their difference lies within."""
    positive: str | int | float | None = None
    """Of two labels the positive one, for sensitivity, binary F1 and the like."""
    threshold_split: str | None = None
    """``field=value`` of a declared tag: those examples choose the decision threshold of medical metrics, and are left out."""
    periods_per_year: Annotated[float, Field(gt=0)] = 252.0
    """How many returns a year has (finance)."""
    robustness: tuple[str, ...] = ()
    """Perturbations under which the task is evaluated again, see `core.data.perturb`."""
    perturbation: PerturbationRef | None = None
    imported: bool = False
    """Its predictions came from elsewhere, and nothing is asked of a model; written by a run, never by a user."""

    @property
    def is_plain(self) -> bool:
        """Whether the text goes to the model as it is; without a prompt there is no turn that a template could hold."""
        return self.template == "none" or (self.prompt is None and self.messages is None)

    @property
    def generates(self) -> bool:
        """Whether the task's evidence is a generated text."""
        return self.kind == "generation" or self.answer is not None

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> TaskSpec:
        if self.kind in IMPORTED_KINDS or self.imported:
            return self  # nothing is asked of a model
        if mistake := prompt_mistake(self):
            raise ValueError(mistake)
        if self.prompt is None and self.messages is None and self.kind != "likelihood":
            raise ValueError(f"a {self.kind} task needs the key 'prompt'")
        if (
            self.kind in ("classification", "regression", "multilabel", "ranking")
            and not self.options
            and self.answer is None
        ):
            raise ValueError(f"a {self.kind} task needs the key 'options' (or 'answer', to read a generated text)")
        if self.kind == "multilabel" and self.answer is None and "{option}" not in (self.prompt or ""):
            raise ValueError("a multilabel task asks yes or no for each tag: its prompt needs {option}")
        if self.kind in ("multilabel", "ranking") and self.answer is not None:
            raise ValueError(f"a {self.kind} task is scored by its options; 'answer' rules do not apply")
        return self


class Settings(Strict):
    """How evidence is made. Everything here that moves a number is part of the run's identity."""

    max_new_tokens: Annotated[int, Field(ge=1, le=32768)] = 64
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy decoding; above it tokens are drawn, with ``seed``."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    engine: Engine = "transformers"
    """What computes the models that are here; ``vllm`` is an extra, for a GPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """``auto``: bfloat16 on a GPU that has it, float32 on the CPU."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|(cuda|xpu)(:\d+)?)$")] = "auto"
    """``auto`` is the first of cuda, mps, xpu, cpu that is there; ``cuda:1`` the second GPU."""
    batch_tokens: Annotated[int, Field(ge=64)] | None = None
    """Token budget of a batch; by default 768 on the CPU and 8,192 on a GPU."""
    too_long: TooLong = "skip"
    """What becomes of a prompt that does not fit into the context: left out, cut at the beginning of its longest text, or the run
    refuses to begin."""
    thinking: ThinkingMarks | Literal["off"] | None = None
    """What opens and closes the block that a model writes before its answer: it is kept apart from the answer. None is
    ``<think>`` and ``</think>``; ``off`` takes all of a text for the answer."""
    template_variables: TemplateVariables = {}
    """Variables that the chat template is given in every task."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Of the processor, for each model: their number moves the last bits of a generation. By default all of a machine's, shared
    among the workers of a cluster; a GPU does not ask."""
    probe: bool = True
    """Whether speed and memory are measured, each variant alone."""
    trust_remote_code: Literal[False] = False
    """Model repositories' own code is never run."""

    @model_validator(mode="after")
    def _templates_are_given_nothing_twice(self) -> Settings:
        if taken := next((name for name in self.template_variables if name in GIVEN_VARIABLES), None):
            raise ValueError(
                f"template_variables: {taken!r} is what every chat template is given already; leave it out"
            )
        return self


class CompositeSpec(Strict):
    """A weighted score over metrics, each mapped to 0-1."""

    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
    """``task/metric`` to how much it counts."""
    scale: dict[str, tuple[Annotated[float, Field(allow_inf_nan=False)], ...]] = {}
    """``task/metric`` to (worst, best): the values that count as 0 and 1; by default the metric's own bounds."""


class ForgettingSpec(Strict):
    """Which task shows what a variant forgot, and which what it gained."""

    general: Name
    """A likelihood task on general text, without the chat template."""
    domain: Name
    """The task that fine-tuning was for."""


FactorValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str | tuple[str, ...]
"""What a setting of a training can be."""


class WorkspaceSpec(Strict):
    """The content of workspace.yaml."""

    models: ModelSet
    datasets: dict[Name, DatasetSpec]
    tasks: dict[Name, TaskSpec]
    settings: Settings = Settings()
    composites: dict[Name, CompositeSpec] = {}
    forgetting: ForgettingSpec | None = None
    factors: dict[Name, dict[str, FactorValue]] = {}
    """Adapter to setting to value: what the user knows of an adapter's training better than its files."""

    @model_validator(mode="after")
    def _tasks_name_datasets(self) -> WorkspaceSpec:
        for name, task in self.tasks.items():
            if task.dataset not in self.datasets:
                raise ValueError(
                    f"tasks.{name}.dataset: found {task.dataset!r}, expected one of {', '.join(self.datasets)}"
                )
        return self


class RunSpec(Strict):
    """One run: model set x tasks x settings, with everything resolved. Stored as spec.json in the run's folder."""

    format_version: int = FORMAT_VERSION
    id: str
    created: str
    """UTC, ISO 8601."""
    models: ModelSet
    datasets: dict[Name, DatasetSpec]
    tasks: dict[Name, TaskSpec]
    settings: Settings
    limit: int | None = None
    """The first so many examples of each dataset; None is all."""
    drawn: int | None = None
    """So many examples of each dataset, drawn with ``settings.seed``; None is all of those within ``limit``."""
    reference: str = BASELINE
    level: float = 0.95
    """Of every interval."""
    family: tuple[str, ...] = ()
    """The primary metrics as ``task/metric``: with the adapters they are the family of Holm's correction."""
    composites: dict[Name, CompositeSpec] = {}
    forgetting: ForgettingSpec | None = None
    own_metrics: dict[Name, str] = {}
    """The user's own metrics that tasks name, with the fingerprint of their files when the run was made."""
    ablation: AblationSpec | None = None
    """Given: the run takes an adapter apart, and this says what each of its variants is."""

    @property
    def clean_tasks(self) -> dict[str, TaskSpec]:
        """The tasks as the workspace asks them, without those whose inputs were perturbed."""
        return {name: task for name, task in self.tasks.items() if task.perturbation is None}
