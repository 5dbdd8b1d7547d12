"""What a very large run costs, reckoned from measured rates as in docs/scaling.md: ``python -m benchmarks.scaling [--rate 450]``.

Rates in, table out: nothing is measured here. The sizes are those of the sample run; docs/scaling.md says how they were taken.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True)
class Sizes:
    """What one task example, planned token or row of evidence takes, measured on the sample run."""

    example_bytes: float = 2_700
    plan_bytes_a_token: float = 35
    plan_seconds: float = 1.5e-3
    rows_a_variant: float = 1.96
    disk_bytes_a_row: float = 67
    wire_bytes_a_row: float = 322
    wire_bytes_a_token: float = 9.3
    examples_a_part: float = 45


def reckoned(examples: int, variants: int, tokens: float, rate: float, devices: int, sizes: Sizes) -> dict[str, str]:
    """Return what a run takes, as sentences by what they are of.

    Args:
        examples: of all tasks; with several tasks each example counts once a task.
        variants: the baseline counts as one.
        tokens: planned, a task example.
        rate: planned tokens a second of one device.
        devices: that compute side by side.
        sizes: of the stored and sent pieces.
    """
    planned = examples * variants * tokens
    seconds = planned / rate / devices
    rows = examples * variants * sizes.rows_a_variant
    held, plan = examples * sizes.example_bytes, examples * tokens * sizes.plan_bytes_a_token
    return {
        "planned tokens": f"{planned / 1e9:,.1f} thousand million",
        f"time at {rate:,.0f} planned tokens/s on {devices:,}": f"{seconds:,.0f} s: {seconds / 3600:,.0f} hours, {seconds / DAY:,.0f} days",
        "store": f"{_gb(rows * sizes.disk_bytes_a_row)}, and as much again in the cache",
        "sent to workers, and back": f"{_gb(planned * sizes.wire_bytes_a_token)} and {_gb(rows * sizes.wire_bytes_a_row)}",
        "memory of the process that was started": f"{_gb(held)} of examples and {_gb(plan)} of plan",
        "memory, a task example": f"{(held + plan) / examples / 1e3:.1f} kB",
        "time before the first part": f"{examples * sizes.plan_seconds / 3600:.1f} hours of one core",
        "files while it runs": f"{examples * variants / sizes.examples_a_part / 1e6:.1f} million, and as many in the cache",
    }  # fmt: skip


def _gb(size: float) -> str:
    return f"{size / 1e9:,.0f} GB"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000_000)
    parser.add_argument("--variants", type=int, default=21, help="the baseline included")
    parser.add_argument("--tokens", type=float, default=116, help="planned, a task example")
    parser.add_argument("--rate", type=float, default=450, help="planned tokens a second and device")
    parser.add_argument("--devices", type=int, default=1)
    given = parser.parse_args()
    table = reckoned(given.examples, given.variants, given.tokens, given.rate, given.devices, Sizes())
    print("| what | reckoned |\n|---|---|\n" + "\n".join(f"| {what} | {told} |" for what, told in table.items()))


if __name__ == "__main__":
    main()
