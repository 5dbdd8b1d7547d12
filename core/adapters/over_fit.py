"""How a training ended: its best held-out loss, and how far the last one lies from it and from the training's own."""

from __future__ import annotations

from dataclasses import dataclass

from core.adapters.training_log import TrainingLog


@dataclass(frozen=True)
class OverFit:
    """A training's held-out losses in nats a token, as the trainer logged them."""

    best_step: int
    best_loss: float
    last_step: int
    last_loss: float
    training_loss: float | None
    """Mean of the training rows since the evaluation before the last one; None where none was logged there."""

    @property
    def rise(self) -> float:
        """The last held-out loss minus the best one: above zero the training went on for too long."""
        return self.last_loss - self.best_loss

    @property
    def gap(self) -> float | None:
        """The last held-out loss minus the training loss of that time; None without one."""
        return None if self.training_loss is None else self.last_loss - self.training_loss


def over_fit(log: TrainingLog) -> OverFit | None:
    """Return how a training ended; None where no held-out loss was logged."""
    best, last = log.best_evaluation, log.last_evaluation
    if best is None or last is None:
        return None
    before = max((row.step for row in log.evaluations if row.step < last.step), default=0)
    found = [row.values.get("loss") for row in log.train if before < row.step <= last.step]
    losses = [loss for loss in found if loss is not None]
    return OverFit(
        best.step, best.values["eval_loss"] or 0.0, last.step, last.values["eval_loss"] or 0.0,
        sum(losses) / len(losses) if losses else None,
    )  # fmt: skip
