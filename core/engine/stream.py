"""Answer a stream of prompts: a row that is finished leaves, and the next prompt takes its place.

Nobody pays for padding after the end of an answer, and the device stays busy until the stream ends. Which rows stand side by
side is decided by the stream alone, so that the same stream gives the same bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch

from core.engine.generate import Row, extend
from core.engine.score import head_on
from core.engine.slots import GROWTH, Slots
from core.engine.states import HeaderStates, dtype_of, lay_out
from core.records import Generation
from core.requests import GenerateRequest
from core.spec import Settings
from core.tree import TokenTree


class Answers(ABC):
    """Prompts that are answered in one go; what is answered stays so if memory gives out on the way."""

    def __init__(self, requests: Sequence[GenerateRequest]) -> None:
        """Take the prompts, longest first, so that those that go through the model together are of one length."""
        self.requests = requests
        self.waiting = list(range(len(requests)))
        """The places in ``requests`` that are not answered, in the order in which they will be."""
        self.found: dict[int, Generation] = {}
        """The answers that are finished, by place in ``requests``."""

    def leave_out(self, place: int) -> None:
        """Do not ask this one: there is no room for it."""
        self.waiting.remove(place)

    def _keep(self, place: int, answer: Generation) -> None:
        self.found[place] = answer
        self.waiting.remove(place)

    @abstractmethod
    def go(
        self,
        model: Any,
        device: torch.device,
        *,
        side_by_side: int,
        tokens: int,
        room: int,
        states: HeaderStates | None = None,
    ) -> None:
        """Answer all that is waiting.

        Args:
            model: The variant that is on.
            device: Where it is.
            side_by_side: Rows that are decoded at a time.
            tokens: Of prompts that go through the model at a time, padding included.
            room: Tokens whose keys and values are held at a time, padding included.
            states: Of the header that prompts may begin with, of this very model.
        """


class BatchedAnswers(Answers):
    """Batch after batch, for models of any architecture."""

    def __init__(
        self, requests: Sequence[GenerateRequest], settings: Settings, *, answer: Callable[..., list[Generation]], **given: Any
    ) -> None:  # fmt: skip
        """Take the prompts, and what answers a batch of them, such as `core.engine.generate.generate_rows`."""
        super().__init__(requests)
        self._settings, self._answer, self._given = settings, answer, given

    def go(
        self,
        model: Any,
        device: torch.device,
        *,
        side_by_side: int,
        tokens: int,
        room: int,
        states: HeaderStates | None = None,
    ) -> None:
        """Answer so many at a time; headers and budgets of tokens are for streams."""
        while self.waiting:
            places = self.waiting[:side_by_side]
            asked = [self.requests[place] for place in places]
            for place, answer in zip(
                places, self._answer(model, asked, self._settings, device, **self._given), strict=True
            ):
                self._keep(place, answer)


class Stream(Answers):
    """A stream for architectures that `core.engine.models.supports_trees`."""

    def __init__(
        self, requests: Sequence[GenerateRequest], settings: Settings, *, stop_ids: frozenset[int],
        decode: Callable[[Sequence[int]], str],
    ) -> None:  # fmt: skip
        """Take the prompts, and how their answers are made and end."""
        super().__init__(requests)
        self._begin = lambda request: Row(request, settings, stop_ids, decode)
        self._answer_tokens = settings.max_new_tokens

    @torch.inference_mode()
    def go(
        self,
        model: Any,
        device: torch.device,
        *,
        side_by_side: int,
        tokens: int,
        room: int,
        states: HeaderStates | None = None,
    ) -> None:
        """Answer all that is waiting."""
        waiting = list(self.waiting)
        longest = max((len(self.requests[place].prompt) for place in waiting), default=0) + self._answer_tokens + GROWTH
        slots = Slots(model, side_by_side, room, device, most=min(side_by_side, len(waiting)) * longest)
        rows: list[tuple[int, Row]] = []
        latest = torch.zeros(0, dtype=torch.long, device=device)
        while waiting or rows:
            trees = self._next(waiting, slots, tokens, states)
            # Few tokens at a time leave the device idle: free places wait until there are enough for a full batch.
            full = len(trees) == len(waiting) or sum(map(len, trees)) > tokens // 2
            if trees and (full or not rows):
                latest = torch.cat([latest, self._admit(model, device, slots, rows, waiting, trees, states)])
            else:
                positions, mask = slots.step(dtype_of(model))
                output = model(
                    input_ids=latest[:, None], attention_mask=mask, position_ids=positions, past_key_values=slots.cache,
                    use_cache=True, logits_to_keep=1,
                )  # fmt: skip
                latest = extend([row for _, row in rows], output.logits[:, -1])
            latest = self._dismiss(slots, rows, latest)

    def _next(self, waiting: Sequence[int], slots: Slots, tokens: int, states: HeaderStates | None) -> list[TokenTree]:
        """Return the prompts that come next, as many as find places and fit one batch."""
        trees: list[TokenTree] = []
        lengths: list[int] = []
        for place in waiting:
            prompt = self.requests[place].prompt
            if not slots.has_room([*lengths, len(prompt)]):
                break
            tree = TokenTree(states.header if states else None)
            tree.add(prompt)
            if trees and max(len(tree), *map(len, trees)) * (len(trees) + 1) > tokens:
                break
            trees.append(tree)
            lengths.append(len(prompt))
        return trees

    def _admit(
        self, model: Any, device: torch.device, slots: Slots, rows: list[tuple[int, Row]], waiting: list[int],
        trees: Sequence[TokenTree], states: HeaderStates | None,
    ) -> torch.Tensor:  # fmt: skip
        """Send the next prompts through the model and return the first token of each answer."""
        for _ in trees:
            place = waiting.pop(0)
            rows.append((place, self._begin(self.requests[place])))
        layout = lay_out(trees, states, model, device)
        last = [k * layout.width + len(tree) - 1 for k, tree in enumerate(trees)]
        with head_on(model, torch.tensor(last, device=device)):
            output = model(
                input_ids=layout.tokens, attention_mask=layout.mask, position_ids=layout.positions,
                past_key_values=layout.cache, use_cache=True,
            )  # fmt: skip
        slots.take(layout, trees, states)
        return extend([row for _, row in rows[-len(trees) :]], output.logits[0])

    def _dismiss(self, slots: Slots, rows: list[tuple[int, Row]], latest: torch.Tensor) -> torch.Tensor:
        """Let the rows go that are finished, and return the latest token of the others, as they now stand."""
        done = [k for k, (_, row) in enumerate(rows) if row.finish is not None]
        if not done:
            return latest
        for k in done:
            place, row = rows[k]
            self._keep(place, row.answer())
        order = slots.leave(done)
        rows[:] = [rows[k] for k in order]
        return latest[torch.tensor(order, dtype=torch.long, device=latest.device)]
