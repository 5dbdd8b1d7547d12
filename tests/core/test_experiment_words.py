"""An experiment in words."""

from __future__ import annotations

from dataclasses import replace

from core.experiment.results import Experiment
from core.records import BASELINE
from core.wording.experiment import headline, part_sentence, phrase
from tests.made_experiments import (
    KEY,
    WHOLE,
    ends,
    gap,
    make_experiment,
    mixture,
    module,
    rank,
    strength,
    window,
)


def _found() -> Experiment:
    trials = [
        module("left_out", "a", "without attention"), module("left_out", "m", "without MLP"),
        module("alone", "m", "attention alone"), module("alone", "a", "MLP alone"),
        *(rank(dose, f"r{dose}") for dose in (4, 1, 2)), rank(8, WHOLE), strength(0, BASELINE),
    ]  # fmt: skip
    parts = {"a": (0.6, "worse"), "m": (0.78, "unclear"), **{f"r{dose}": (0.8, "unclear") for dose in (1, 2, 4)}}
    return make_experiment(trials, parts)  # type: ignore[arg-type]


def test_the_headline_says_the_gain_and_where_most_is_lost() -> None:
    assert headline(_found(), KEY) == (
        "all-r8 is better than the baseline by 30.0 points [25.0, 35.0] of Accuracy (category) ▲, n = 40. "
        "Taken apart, it loses most without attention, 20.0 points [15.0, 25.0] ▼; 4 of 5 parts cannot be told from the whole adapter."
    )


def test_an_adapter_that_cannot_be_told_from_the_baseline_says_so_first() -> None:
    found = make_experiment([rank(4, "r")], {"r": (0.79, "unclear")}, gain="unclear")
    assert headline(found, KEY) == (
        "all-r8 cannot be told from the baseline on Accuracy (category) at n = 40: what its parts do there is as uncertain. "
        "Taken apart, no part is worse than the whole for certain; 1 of 1 parts cannot be told from the whole adapter."
    )
    few = replace(gap(0.3), reason="too few examples (n = 8, at least 15)")
    (metric,) = found.metrics
    scarce = replace(found, metrics=(replace(metric, row=replace(metric.row, differences={WHOLE: few})),))
    assert "on Accuracy (category), too few examples (n = 8, at least 15): what" in headline(scarce, KEY)
    nothing = replace(found, metrics=(replace(metric, row=replace(metric.row, differences={WHOLE: gap(None)})),))
    assert headline(nothing, KEY) == (
        "On Accuracy (category) all-r8 cannot be compared with the baseline: not measured yet."
    )


def test_a_variant_that_is_two_trials_is_named_once() -> None:
    assert part_sentence(_found(), KEY, "modules") == (
        "Without attention all-r8 is worse by 20.0 points [15.0, 25.0] ▼. "
        "Without MLP it cannot be told from the whole adapter at n = 40."
    )


def test_doses_are_named_in_their_order_and_the_whole_is_not_compared_with_itself() -> None:
    assert part_sentence(_found(), KEY, "rank") == (
        "At rank 1, at rank 2 and at rank 4 it cannot be told from the full rank at n = 40."
    )


def test_many_are_counted_rather_than_named() -> None:
    trials = [window(layer, layer + 4, f"w{layer}") for layer in range(0, 50, 5)]
    parts = {f"w{layer}": (0.8 - layer / 100, "worse" if layer < 25 else "unclear") for layer in range(0, 50, 5)}
    assert part_sentence(make_experiment(trials, parts), KEY, "depth") == (  # type: ignore[arg-type]
        "Without layers 20\u201324 all-r8 is worse by 20.0 points [15.0, 25.0], without layers 15\u201319 by 15.0 points [10.0, 20.0], "
        "without layers 10\u201314 by 10.0 points [5.0, 15.0] and in 2 more ▼. "
        "The other 5 cannot be told from the whole adapter at n = 40."
    )
    none = make_experiment(trials, {name: (0.8, "unclear") for name in parts})
    assert part_sentence(none, KEY, "depth") == "None of the 10 can be told from the whole adapter at n = 40."


def test_better_equivalent_and_missing_parts_are_said_too() -> None:
    trials = [strength(dose, f"x{dose:g}") for dose in (0.5, 1.5, 2)]
    found = make_experiment(trials, {"x0.5": (0.9, "better"), "x1.5": (0.8, "same"), "x2": (None, "none")})
    assert part_sentence(found, KEY, "strength") == (
        "At strength 0.5 all-r8 is better by 10.0 points [5.0, 15.0] ▲. At strength 1.5 it is equivalent to full strength within "
        "the declared band ≈. 1 has no value yet."
    )
    empty = make_experiment(trials, {f"x{dose:g}": (None, "none") for dose in (0.5, 1.5, 2)})
    assert part_sentence(empty, KEY, "strength") == "Nothing to compare on Accuracy: not measured yet."


def test_changed_prompts_are_compared_with_the_prompt_as_it_is() -> None:
    found = make_experiment([rank(8, WHOLE)], {}, prompts={"without the system prompt": (-0.2, "worse")})
    assert part_sentence(found, KEY, "prompt") == (
        "Without the system prompt all-r8 is worse by 20.0 points [15.0, 25.0] ▼."
    )
    assert part_sentence(_found(), KEY, "prompt") == "No changed prompt was asked of category, or not of Accuracy."


def test_phrases_of_trials_follow_a_verb() -> None:
    trials = [
        ends("first", 10, "f", (0, 9)), ends("last", 5, "l", (25, 29)), mixture("o", {"o": 1}, None),
        mixture("m", {WHOLE: 0.5, "o": 0.5}), module("alone", "q", "q_proj alone"),
    ]  # fmt: skip
    assert [phrase(trial) for trial in trials] == [
        "with the first 10 layers alone", "with the last 5 layers alone", "with o alone", "as 0.5 all-r8 + 0.5 o",
        "with q_proj alone",
    ]  # fmt: skip
