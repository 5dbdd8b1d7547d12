from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import InputError
from core.ratings import RatingStore, join, next_item
from core.ratings.analysis import analyse
from core.ratings.exchange import import_study
from core.stats import prediction_powered_mean
from tests.core.ratings.studies import answer, make_study

N = 40


@pytest.fixture
def judged(lite: RatingStore, tmp_path):
    """People rate 40 pairs; a judge the same ones and 60 more, for lora where people are, and in every fourth other one."""
    study = make_study(lite, tmp_path, n=N)
    ana, human = join(study, "Ana"), {}
    while not hasattr(item := next_item(study, ana), "message"):
        number = int(item.prompt.split()[-1])
        lora = next(at for at, text in enumerate(item.outputs) if text.endswith("way 1"))
        human[number] = number % 5 != 0
        answer(study, ana, item, ("left", "right")[lora if human[number] else 1 - lora])
    judge = {at: human.get(at, at % 3 != 0) or at % 4 == 0 for at in range(100)}
    rows = [
        {"task": "reply", "example_id": f"e{at:03d}", "variant_left": "lora", "variant_right": "baseline",
         "value": "left" if one else "right"}
        for at, one in judge.items()
    ]  # fmt: skip
    path = tmp_path / "judge.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return study, path, human, judge


def test_a_judges_verdicts_are_corrected_by_people(lite: RatingStore, judged):
    study, path, human, judge = judged
    assert analyse(study, resamples=100).judges == ()
    imported = import_study(lite, path, judge="big-model")
    (found,) = analyse(study, resamples=100).judges
    labelled = (
        np.array([human[at] for at in range(N)], dtype=float),
        np.array([judge[at] for at in range(N)], dtype=float),
    )
    alone = np.array([judge[at] for at in range(N, 100)], dtype=float)
    direct = prediction_powered_mean(*labelled, alone, tuned=True)
    assert (found.judge, found.variant, found.against, found.n_labelled, found.n_judged_alone) == (
        "big-model",
        "lora",
        "baseline",
        N,
        60,
    )
    assert found.corrected.value == pytest.approx(direct.value) and found.corrected.low == pytest.approx(direct.low)
    assert found.judge_bias == pytest.approx(labelled[1].mean() - labelled[0].mean()) and found.judge_bias > 0
    assert found.human.value == pytest.approx(labelled[0].mean()) and found.judge_alone.value == pytest.approx(
        np.mean(list(judge.values()))
    )
    assert found.accuracy.value == pytest.approx(np.mean(labelled[0] == labelled[1]))
    # In its own study the judge is nobody's rater.
    own = analyse(imported, resamples=100)
    assert (own.counts.n_raters, own.counts.n_answers, own.counts.n_judged) == (0, 0, 100)
    assert own.judges[0].corrected.value is None and "expected at least 2 of each" in own.judges[0].corrected.reason


def test_verdicts_on_both_orders_are_averaged_and_the_task_may_be_called_otherwise(lite: RatingStore, judged, tmp_path):
    study, path, _, judge = judged
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    turned = [row | {"variant_left": "baseline", "variant_right": "lora", "repeat": True} for row in rows]
    both = tmp_path / "both.jsonl"
    both.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "task"}) + "\n" for row in rows + turned))
    import_study(lite, both, judge="judge:always-left")
    (found,) = analyse(study, resamples=100).judges
    assert found.judge == "always-left" and found.n_labelled == N
    # The same side in both orders: one win each, so no preference at all.
    assert found.judge_alone.value == 0.5 and found.accuracy.value is None and found.judge_weight == 0


def test_people_cannot_join_as_judges(lite: RatingStore, judged):
    with pytest.raises(InputError, match="names that begin with 'judge:' are for model judges"):
        join(judged[0], " JUDGE: me")
