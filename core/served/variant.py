"""One served variant: turns what is asked of it into requests, and the answers into evidence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from core.errors import RunError
from core.model_set import ServedRef
from core.plan import Part
from core.records import Evidence, Likelihood, OptionScores
from core.requests import Continuation, GenerateRequest, MessagesRequest, Question, ScoreRequest
from core.served.answers import read_chat, read_completion, read_echo
from core.served.client import Client, Refused
from core.served.plan import token_guess
from core.served.reasons import NO_PROMPT_LOGPROBS
from core.spec import Settings

FAILURES_IN_A_ROW = 20
"""After so many questions without an answer a run stops: what is wrong is not the questions."""

_Result = TypeVar("_Result")
Scored = tuple[tuple[float, ...], tuple[bool, ...]]


@dataclass
class _Failures:
    """How many questions in a row have had no answer."""

    in_a_row: int = 0
    answered: bool = False

    def note(self, failure: Refused | None, name: str) -> None:
        """Count one; a question that is itself at fault counts only while nothing at all was answered."""
        if failure is None:
            self.in_a_row, self.answered = 0, True
        elif not (failure.is_question and self.answered):
            self.in_a_row += 1
        if self.in_a_row >= FAILURES_IN_A_ROW:
            raise RunError(
                f"{name}: {self.in_a_row} questions in a row had no answer; the last: {failure}. What was answered before is kept: "
                "resume the run when the server is well."
            )


class ServedVariant:
    """Asks one variant of one server."""

    def __init__(self, client: Client, name: str, ref: ServedRef, settings: Settings) -> None:
        """Take an open client, the variant's name, what the server calls it, and how answers are decoded."""
        self.client, self.name, self.ref, self.settings = client, name, ref, settings
        self.warnings: list[str] = []
        """What somebody should be told; emptied by whoever does."""
        self._failures = _Failures()
        self._scores: bool | None = None
        self._first = asyncio.Lock()

    async def observe(self, part: Part) -> list[Evidence]:
        """Return the evidence of one part, in the order of its requests.

        Raises:
            RunError: the server cannot be asked, another model answers, or too many questions in a row had no answer.
        """
        requests = [request for batch in part.batches for request in batch.requests]
        return await all_or_first_error([self._evidence(request) for request in requests])

    async def _evidence(self, request: Question) -> Evidence:
        identity = (request.task, self.name, request.example_id, request.item)
        try:
            if isinstance(request, ScoreRequest):
                found = await self._score(request, identity)
            elif isinstance(request, GenerateRequest | MessagesRequest):
                found = await self._answer(request, identity)
            else:
                return Evidence(*identity, reason="a server cannot be asked this")
        except Refused as error:
            self._failures.note(error, self.name)
            return Evidence(*identity, reason=str(error))
        self._failures.note(None, self.name)
        return found

    async def _answer(
        self, request: GenerateRequest | MessagesRequest, identity: tuple[str, str, str, str]
    ) -> Evidence:
        room, temperature = self.settings.max_new_tokens, request.temperature
        if isinstance(request, MessagesRequest):
            body = self._body(room, temperature, **json.loads(request.asked), logprobs=True)
            found = await self.client.post(
                "/chat/completions", body, lambda told: read_chat(told, self.ref), token_guess(request, room)
            )
        else:
            body = self._body(room, temperature, prompt=list(request.prompt), logprobs=1)
            found = await self.client.post(
                "/completions", body, lambda told: read_completion(told, self.ref), len(request.prompt) + room
            )
        return Evidence(*identity, generation=found)

    async def _score(self, request: ScoreRequest, identity: tuple[str, str, str, str]) -> Evidence:
        if not await self._gives_logprobs(request):
            return Evidence(*identity, reason=NO_PROMPT_LOGPROBS)
        found = await all_or_first_error([self._echo(request.prompt, one) for one in request.continuations])
        scores = [one for one in found if one is not None]
        if len(scores) < len(found):
            return Evidence(*identity, reason=NO_PROMPT_LOGPROBS)
        if request.kind == "likelihood":
            answer, (logprobs, top) = request.continuations[0], scores[0]
            return Evidence(*identity, likelihood=Likelihood(answer.ids, logprobs, answer.starts, top, answer.n_bytes))
        options = OptionScores(
            options=tuple(answer.text for answer in request.continuations),
            logprob_sums=tuple(sum(logprobs) for logprobs, _ in scores),
            n_tokens=tuple(len(answer.ids) for answer in request.continuations),
            n_bytes=tuple(answer.n_bytes for answer in request.continuations),
        )
        return Evidence(*identity, option_scores=options)

    async def _gives_logprobs(self, request: ScoreRequest) -> bool:
        """Find out once, by a first question, whether the server really returns log-probabilities of a given text."""
        async with self._first:
            if self._scores is None:
                self._scores = await self._echo(request.prompt, request.continuations[0]) is not None
                if not self._scores:
                    self.warnings.append(
                        f"{self.name}: {NO_PROMPT_LOGPROBS} (asked for with echo and logprobs); what needs them has no value."
                    )
        return self._scores

    async def _echo(self, prompt: tuple[int, ...], answer: Continuation) -> Scored | None:
        ids = [*prompt, *answer.ids]
        # One new token is asked for and thrown away: some servers refuse to make none.
        body = self._body(1, 0.0, prompt=ids, echo=True, logprobs=1)
        return await self.client.post(
            "/completions", body, lambda told: read_echo(told, self.ref, len(prompt), len(ids)), len(ids) + 1
        )

    def _body(self, max_tokens: int, temperature: float | None, **asked: Any) -> dict[str, Any]:
        settings = self.settings
        body: dict[str, Any] = {
            "model": self.ref.model, **asked, "max_tokens": max_tokens,
            "temperature": settings.temperature if temperature is None else temperature, "top_p": settings.top_p,
            "seed": settings.seed, "stream": False,
        }  # fmt: skip
        if settings.stop and "echo" not in asked:
            body["stop"] = list(settings.stop)
        if self.ref.lora:
            body["lora"] = [one.model_dump() for one in self.ref.lora]
            # llama.cpp keeps what it computed of a prompt without noting with which adapter: the base's would be taken for it.
            body["cache_prompt"] = False
        return {key: value for key, value in (body | self.ref.body).items() if value is not None}


async def all_or_first_error(coroutines: Sequence[Awaitable[_Result]]) -> list[_Result]:
    """Return the results in order; when one fails the others are cancelled, and its error is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
