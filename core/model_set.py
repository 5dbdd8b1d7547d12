"""One base model and its variants: adapters, parts and mixtures of adapters, checkpoints, served ones. `core.spec` has the rest."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.records import BASELINE

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A short name that can be part of a file's name; letters, digits and . _ + - only."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
MixingMethod = Literal["linear", "cat", "svd", "ties", "dare_linear", "dare_ties", "magnitude_prune"]
"""How PEFT's ``add_weighted_adapter`` makes one adapter of several; ``cat`` alone is their exact weighted sum."""
Quantisation = Literal["nf4", "int8"]
"""How bitsandbytes holds weights: 4-bit NormalFloat, or LLM.int8()."""
MIXING_METHODS: tuple[MixingMethod, ...] = get_args(MixingMethod)


class Strict(BaseModel):
    """Frozen, and an unknown key is a mistake rather than ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadSpec(Strict):
    """What a classification head's files do not say of it."""

    labels: tuple[str, ...] | None = None
    """The name of each output, in the order of training."""
    text: Annotated[str, Field(min_length=1)] | None = None
    """What it reads, with ``{field}`` places; None is the task's own prompt."""


class ModelRef(Strict):
    """Where a model's weights are."""

    path: str
    """A folder (relative to the workspace), a Hub id, or ``cache:NAME`` for the sample's base."""
    revision: str | None = None
    head: HeadSpec | None = None
    """Of a checkpoint that classifies."""
    quantisation: Quantisation | None = None
    """In which the weights are held; None is as the settings' precision says. Adapters stay in that precision."""


class AdapterPart(Strict):
    """What of an adapter is on; None is all of it. What is left out is switched off, and the base answers there alone."""

    modules: tuple[str, ...] | None = None
    """The last parts of module paths that stay: ``q_proj``."""
    layers: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """The numbers of the layers that stay; modules outside the layers stay too."""
    rank: Annotated[int, Field(ge=1)] | None = None
    """How many of the strongest singular directions of each module's update stay."""


class AdapterRef(Strict):
    """Where an adapter is, how strongly it is applied, and which part of it."""

    path: str
    scale: Finite = 1.0
    """Multiplies the adapter's own scale; 1 is the adapter as trained, 0 the baseline."""
    part: AdapterPart | None = None
    head: HeadSpec | None = None
    """Of an adapter that classifies (task_type SEQ_CLS)."""
    of: Name | None = None
    """Of an ablation's variant: the adapter that it is a part of; written by a run, never by a user."""

    @property
    def is_whole(self) -> bool:
        """Whether it is an adapter as it was named, and not a variant that an ablation made of one."""
        return self.of is None


class Mixture(Strict):
    """One adapter made of several."""

    method: MixingMethod
    weights: Annotated[dict[Name, Finite], Field(min_length=2)]
    """Adapters of the same model set, and how much of each."""
    density: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of values that stays, for the methods that prune (ties, dare_linear, dare_ties, magnitude_prune)."""
    seed: int = 0
    """From which dare draws the values that stay."""


class ServerSpec(Strict):
    """A server with OpenAI's interface (vLLM, llama.cpp, TGI, a cloud), and how politely it is asked."""

    url: str
    """Up to and with the version: ``http://127.0.0.1:8000/v1``."""
    key: str | None = None
    """The name of the environment variable that holds the key; the key itself is written nowhere."""
    api: Literal["chat", "completions"] = "chat"
    """``chat``: messages, and the server's own template. ``completions``: the tokens that local variants are asked."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    """Requests in flight."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Of prompt and answer, reckoned before asking."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds for one whole answer."""
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    reuse: bool = True
    """Whether answers of earlier runs are used again while the server says the same of itself."""

    @field_validator("url")
    @classmethod
    def _url_is_plain(cls, url: str) -> str:
        try:
            found = urlsplit(url)
            port = found.port
        except ValueError:
            found, port = urlsplit(""), None
        if found.scheme not in ("http", "https") or not found.hostname or port == 0:
            raise ValueError("expected an address such as http://127.0.0.1:8000/v1")
        if found.username or found.password or found.query or found.fragment:
            raise ValueError(
                "found more than an address (a user, a password or a query, not shown here); a key belongs in an environment "
                "variable that `key` names"
            )
        return url.rstrip("/")

    @field_validator("key")
    @classmethod
    def _key_is_a_name(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", key):
            raise ValueError(
                "found something else than the name of an environment variable, such as MY_SERVER_KEY (capitals, digits and _; what "
                "was found is not shown, since it may be a key). A key belongs in the environment, never in a file"
            )
        return key


class LoraWeight(Strict):
    """An adapter that the server holds by number, and how strongly it is applied (llama.cpp)."""

    id: Annotated[int, Field(ge=0)]
    scale: Finite = 1.0


class ServedRef(Strict):
    """A variant whose answers come from a server."""

    server: Name
    """One of ``servers``."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    """What the server calls it; vLLM's name of an adapter."""
    model_alias: tuple[str, ...] = ()
    """Other names under which the server may say that it answered."""
    lora: tuple[LoraWeight, ...] = ()
    """Sent with every request, for a server that applies adapters by request (llama.cpp)."""
    body: dict[str, Any] = {}
    """Further keys of every request; null takes one away that is otherwise sent."""

    @field_validator("body")
    @classmethod
    def _body_holds_no_key(cls, body: dict[str, Any]) -> dict[str, Any]:
        for name in body:
            if re.search(r"api_?key|authorization|token$|secret|password", name, re.IGNORECASE):
                raise ValueError(
                    f"found {name!r}: a key belongs in an environment variable that the server's `key` names"
                )
            if name in ("messages", "prompt", "model", "stream", "n"):
                raise ValueError(f"found {name!r}, which a run writes itself")
        return body


class ModelSet(Strict):
    """One base model and its variants. The baseline is the base with every adapter off."""

    base: ModelRef
    adapters: dict[Name, AdapterRef] = {}
    mixtures: dict[Name, Mixture] = {}
    """Written by a run, never by a user."""
    checkpoints: dict[Name, ModelRef] = {}
    template: str | None = None
    """Whose chat template all variants are asked with: an adapter's name, or a folder or file with one; None is the base's."""
    servers: dict[Name, ServerSpec] = {}
    served: dict[Name, ServedRef] = {}
    """With the name ``baseline`` the base itself is served, and its weights need not be on this disk."""
    imported: tuple[Name, ...] = ()
    """Of a run whose predictions came from elsewhere: the names of the systems, the reference first; no model is known."""

    @model_validator(mode="after")
    def _names_are_free(self) -> ModelSet:
        if self.base.head is not None:
            raise ValueError(
                "base.head: found a head on the base, which has to give text; name a classifier under `checkpoints`"
            )
        names = [*self.adapters, *self.mixtures, *self.checkpoints, *self.served]
        for name in names:
            if (name == BASELINE and name not in self.served) or names.count(name) > 1:
                raise ValueError(f"{name!r} is taken: {BASELINE!r} is the base itself, and names are used once")
        for name, mixture in self.mixtures.items():
            if unknown := next((one for one in mixture.weights if one not in self.adapters), None):
                raise ValueError(f"the mixture {name!r} is made of {unknown!r}, which is no adapter of this set")
        for name, ref in self.served.items():
            if ref.server not in self.servers:
                listed = ", ".join(self.servers) or "none yet"
                raise ValueError(f"served.{name}.server: found {ref.server!r}, expected one of `servers`: {listed}")
        if len(set(self.imported)) < len(self.imported):
            raise ValueError("each imported system needs a name of its own")
        return self

    @property
    def quantised(self) -> dict[str, Quantisation]:
        """The base, under the baseline's name, and checkpoints whose weights are held in fewer bits."""
        refs = {BASELINE: self.base, **self.checkpoints}
        return {name: ref.quantisation for name, ref in refs.items() if ref.quantisation is not None}

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant's name, the baseline first; of imported predictions the systems' names."""
        if self.imported:
            return self.imported
        further = [name for name in self.served if name != BASELINE]
        return (BASELINE, *self.adapters, *self.mixtures, *self.checkpoints, *further)

    @property
    def computed_here(self) -> tuple[str, ...]:
        """The variants whose weights are on this disk."""
        return tuple(name for name in self.variants if name not in self.served)

    def server_of(self, variant: str) -> ServerSpec | None:
        """Return the server that answers for a variant; None for one that is computed here."""
        ref = self.served.get(variant)
        return None if ref is None else self.servers[ref.server]
