"""Which columns a joined run has: the same weights are one column, and a name that two models share is told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

from core.joined.results import JoinedVariant
from core.records import BASELINE
from core.spec import ModelSet
from core.store import Run

_LONGEST = 80
"""Of a variant's name, see `core.spec.NAME_PATTERN`."""


def joined_variants(runs: Sequence[Run]) -> tuple[JoinedVariant, ...]:
    """Return the columns of several runs, those of the first run first.

    A further run's variant whose weights, config and scale are those of one that is there already has no column of its own.
    One that only shares its name is called ``NAME+RUN``.
    """
    columns: dict[str, JoinedVariant] = {}
    known: dict[Hashable, str] = {}
    for run in runs:
        for original in run.spec.models.variants:
            identity = variant_identity(run, original)
            if identity is not None and identity in known:
                there = columns[known[identity]]
                columns[there.name] = replace(there, same_as=(*there.same_as, (run.id, original)))
                continue
            name = _free_name(original, run.id, columns)
            columns[name] = JoinedVariant(name, run.id, original)
            if identity is not None:
                known[identity] = name
    return tuple(columns.values())


def variant_identity(run: Run, variant: str) -> Hashable | None:
    """Return what makes a variant the model that it is, of imported answers the answers; None where the run does not say."""
    models = run.spec.models
    if variant in models.imported:
        return _answers_hash(run, variant)
    environment = run.read_json("environment") or {}
    if variant in models.served:
        return ((environment.get("served") or {}).get(variant) or {}).get("fingerprint")
    hashes: dict[str, Any] = environment.get("hashes") or {}
    configs: dict[str, str] = hashes.get("model_configs") or {}
    base = (hashes.get("base"), configs.get(BASELINE))
    if base[0] is None:
        return None
    if variant in models.mixtures:
        mixture = models.mixtures[variant]
        of = {name: variant_identity(run, name) for name in mixture.weights}
        if None in of.values():
            return None
        weights = frozenset((of[name], weight) for name, weight in mixture.weights.items())
        return (*base, mixture.model_dump_json(exclude={"weights"}), weights)
    if variant in models.adapters:
        adapter = (hashes.get("adapters") or {}).get(variant)
        config = (hashes.get("adapter_configs") or {}).get(variant)
        applied = models.adapters[variant].model_dump_json(exclude={"path", "of"})
        return None if adapter is None else (*base, adapter, config, applied)
    if variant in models.checkpoints:
        checkpoint = (hashes.get("checkpoints") or {}).get(variant)
        return None if checkpoint is None else (checkpoint, configs.get(variant))
    return base


def joined_models(runs: Sequence[Run], variants: Sequence[JoinedVariant]) -> ModelSet:
    """Return the model set of a joined run; another base's baseline stands among the checkpoints."""
    first, by_id = runs[0].spec.models, {run.id: run.spec.models for run in runs}
    if first.imported:
        return first.model_copy(update={"imported": tuple(variant.name for variant in variants)})
    column = {
        key: variant.name for variant in variants for key in ((variant.run_id, variant.original), *variant.same_as)
    }
    adapters, mixtures, checkpoints, served, servers = {}, {}, {}, {}, {}
    for variant in variants:
        models = by_id[variant.run_id]
        if variant.original in models.served:
            ref = models.served[variant.original]
            server = f"{ref.server}+{variant.name}"[-_LONGEST:].lstrip(
                "._+-"
            )  # two runs may mean two servers by one name
            servers[server] = models.servers[ref.server]
            served[variant.name] = ref.model_copy(update={"server": server})
        elif variant.original in models.adapters:
            adapters[variant.name] = models.adapters[variant.original]
        elif variant.original in models.mixtures:
            mixture = models.mixtures[variant.original]
            weights = {column[variant.run_id, name]: weight for name, weight in mixture.weights.items()}
            mixtures[variant.name] = mixture.model_copy(update={"weights": weights})
        elif variant.original in models.checkpoints:
            checkpoints[variant.name] = models.checkpoints[variant.original]
        elif variant.name != BASELINE:
            checkpoints[variant.name] = models.base
    found = {
        "adapters": adapters,
        "mixtures": mixtures,
        "checkpoints": checkpoints,
        "served": served,
        "servers": servers,
    }
    return first.model_copy(update=found)


def _answers_hash(run: Run, variant: str) -> str:
    rows = run.predictions(variant=variant).drop_columns(["variant"]).to_pydict()
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _free_name(original: str, run_id: str, taken: dict[str, JoinedVariant]) -> str:
    if original not in taken:
        return original
    name, number = _shortened(original, f"+{run_id}"), 2
    while name in taken:
        name, number = _shortened(original, f"+{run_id}-{number}"), number + 1
    return name


def _shortened(original: str, ending: str) -> str:
    ending = ending[-(_LONGEST // 2) :]
    return original[: _LONGEST - len(ending)] + ending
