"""Who computes the parts of a plan: the models of this process, or somebody else who answers in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from core.plan import Part
from core.store import evidence_table

if TYPE_CHECKING:
    from core.engine.session import Session
    from core.engine.vllm_session import VllmSession


@dataclass(frozen=True)
class Computed:
    """The evidence of one part of one variant."""

    variant: str
    part: Part
    table: pa.Table
    """Of `core.store.EVIDENCE_SCHEMA`, in the order of the part's requests."""
    lasting: bool
    """Whether it would be the same at any time; what memory or a connection decided holds here and now alone."""


class Computer(Protocol):
    """Computes parts; each is yielded as soon as it is whole, in whatever order."""

    def compute(self, work: Mapping[str, Sequence[Part]]) -> Iterator[Computed]:
        """Yield the evidence of each variant's parts.

        Raises:
            InputError: a model cannot be loaded, or whoever was asked cannot do it.
        """
        ...


class LocalComputer:
    """The models of this process, one variant after the other."""

    def __init__(
        self, session: Callable[[], Session | VllmSession], warnings: Callable[[], int], say: Callable[..., None]
    ) -> None:
        """Take what loads the models at the first call, what counts the warnings so far, and what says where it is."""
        self._session, self._warnings, self._say = session, warnings, say

    def compute(self, work: Mapping[str, Sequence[Part]]) -> Iterator[Computed]:
        """Yield the evidence of each variant's parts, in their order."""
        for variant, parts in work.items():
            session = self._session()
            with session.models.variant(variant) as model:
                for part in parts:
                    self._say(variant=variant, state="running", message=f"{variant}: part {part.index + 1}")
                    before = self._warnings()
                    table = evidence_table(session.observe(model, variant, part))
                    whole = table["reason"].null_count == table.num_rows
                    yield Computed(variant, part, table, lasting=whole and self._warnings() == before)
