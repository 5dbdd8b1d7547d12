"""What runs in processes of its own in the tests of many raters."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

from core.ratings import Done, RatingStore, join, next_item, open_study
from tests.core.ratings.studies import answer

_START = datetime(2026, 11, 22, tzinfo=UTC)


def fast_clock() -> datetime:
    """A thousand times as fast as the wall's, the same in every process: nobody answers too soon."""
    return _START + timedelta(seconds=(time.time() % 1_000_000) * 1000)


@dataclass
class Told:
    """What one rater's process has to say."""

    stored: list[str]
    repeated: int
    failures: list[str]


def rate(url: str, study_id: str, name: str, seed: int, told: Connection) -> None:
    """Rate until the study is done, sending one answer in ten twice; any exception is a failure, and nothing is tried again."""
    report, draw = Told([], 0, []), random.Random(seed)
    try:
        study = open_study(RatingStore(url, clock=fast_clock), study_id)
        rater = join(study, name)
        while True:
            item = next_item(study, rater)
            if isinstance(item, Done):
                if item.state == "finished":
                    break
                time.sleep(0.05)
                continue
            time.sleep(0.001)
            value = draw.randint(1, 5)
            receipt = answer(study, rater, item, value)
            if receipt.outcome != "stored":
                report.failures.append(receipt.outcome)
                break
            report.stored += receipt.action_ids
            if draw.random() < 0.1:
                report.repeated += answer(study, rater, item, value).outcome == "repeated"
    except Exception as error:
        report.failures.append(f"{type(error).__name__}: {error}")
    told.send(report)
    told.close()
    os._exit(0)  # what was inherited from the parent is the parent's to close


def rate_until_killed(url: str, study_id: str, told: Connection) -> None:
    """Rate as Ana and tell the ids of each answer once it is stored."""
    study = open_study(RatingStore(url, clock=fast_clock), study_id)
    rater = join(study, "Ana")
    while not isinstance(item := next_item(study, rater), Done):
        time.sleep(0.001)
        told.send(answer(study, rater, item).action_ids)
    told.send(None)
    os._exit(0)
