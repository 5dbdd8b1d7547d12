"""Evidence out of what a model gave: the same for every engine."""

from __future__ import annotations

from collections.abc import Sequence

from core.engine.score import ContinuationScore
from core.records import Evidence, Generation, Likelihood, OptionScores
from core.requests import GenerateRequest, ScoreRequest

NOT_A_NUMBER = "the model gave NaN"


def generated_evidence(request: GenerateRequest, variant: str, answer: Generation) -> Evidence:
    """Return the evidence of an answer; one with a log-probability that is no number has a reason in its place."""
    identity = (request.task, variant, request.example_id, request.item)
    if any(logprob != logprob for logprob in answer.token_logprobs):
        return Evidence(*identity, reason=NOT_A_NUMBER)
    return Evidence(*identity, generation=answer)


def scored_evidence(request: ScoreRequest, variant: str, scores: Sequence[ContinuationScore]) -> Evidence:
    """Return the evidence of a request's continuations, whose ``scores`` are given in their order."""
    identity = (request.task, variant, request.example_id, request.item)
    if any(logprob != logprob for score in scores for logprob in score.logprobs):
        return Evidence(*identity, reason=NOT_A_NUMBER)
    if request.kind == "likelihood":
        answer, score = request.continuations[0], scores[0]
        likelihood = Likelihood(answer.ids, score.logprobs, answer.starts, score.top, answer.n_bytes)
        return Evidence(*identity, likelihood=likelihood)
    options = OptionScores(
        options=tuple(answer.text for answer in request.continuations),
        # float32 log-probabilities, summed in float64: Python's float is one
        logprob_sums=tuple(sum(score.logprobs) for score in scores),
        n_tokens=tuple(len(answer.ids) for answer in request.continuations),
        n_bytes=tuple(answer.n_bytes for answer in request.continuations),
    )
    return Evidence(*identity, option_scores=options)
