"""Lists of examples and their averages as plain tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.charts.tables import aggregates_table, examples_table
from core.example_aggregates import aggregates
from core.examples import Query, make_table, measure_of, select
from core.metrics.registry import get_metric

TABLE = make_table("t", ["e1", "e2", "e3"], [("a=1", "b=2"), (), ("a=2",)])
SCORES = pd.DataFrame({"baseline": [0.0, 1.0, np.nan], "lora": [1.0, 0.0, 1.0]}, index=TABLE.ids)


def test_the_list_has_what_the_filters_leave_in_their_order() -> None:
    measure = measure_of(get_metric("accuracy"), SCORES)
    chosen = select(TABLE, SCORES, measure, Query("lora", "baseline", sort="loss"))
    made = examples_table(TABLE, chosen, SCORES)
    assert list(made.columns) == ["example_id", "tags", "score of baseline", "score of lora", "difference", "outcome"]
    assert list(made.example_id) == ["e2", "e1", "e3"]
    assert list(made.tags) == ["", "a=1; b=2", "a=2"]
    assert list(made.difference[:2]) == [-1.0, 1.0] and pd.isna(made.difference[2])
    assert list(made.outcome) == ["broken", "fixed", "no value"]
    only = select(TABLE, SCORES, measure, Query("lora", "baseline", outcome="fixed"))
    assert list(examples_table(TABLE, only, SCORES).example_id) == ["e1"]


def test_without_a_metric_the_list_is_ids_and_tags() -> None:
    chosen = select(TABLE, None, None, Query("lora", "baseline", tags=("a=2",)))
    assert examples_table(TABLE, chosen, None).to_dict("list") == {"example_id": ["e3"], "tags": ["a=2"]}


def test_averages_are_those_of_the_variants() -> None:
    labels = {"lora": pd.Categorical(["x", "x", "y"])}
    made = aggregates_table(aggregates(np.array([0, 1, 2]), ["baseline", "lora"], SCORES, None, labels))
    assert list(made.variant) == ["baseline", "lora"] and list(made.n) == [2, 3]
    assert list(made["mean"]) == [0.5, 2 / 3] and made.labels[1] == "x 2; y 1"
