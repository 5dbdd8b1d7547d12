"""Write README's table of the sample run, from the run itself: ``python -m benchmarks.readme_table`` (``--check`` compares)."""

from __future__ import annotations

import sys
from pathlib import Path

from core import notation
from core.compare import compare, headline
from core.results import Comparison, MetricRow
from core.store import Run

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- sample table: written by benchmarks/readme_table.py -->", "<!-- end of sample table -->"
SHOWN = (
    "category/accuracy",
    "category/f1_macro",
    "reply/bleu",
    "reply/chrf",
    "reply/rouge_l",
    "reply/perplexity",
    "general/bits_per_byte",
)


def table(comparison: Comparison) -> str:
    """Return the Markdown table: a row a variant, a column a metric, each cell value, difference's interval and mark."""
    rows = [comparison.row(key) for key in SHOWN]
    heads = [f"{row.task} {notation.metric_heading(row)}" for row in rows]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(rows)]
    lines += [f"| {name} | " + " | ".join(_cell(row, name) for row in rows) + " |" for name in comparison.variants]
    n = ", ".join(
        f"{row.task} {row.values[comparison.reference].n}" for row in {row.task: row for row in rows}.values()
    )
    counts = [headline(comparison, name) for name in comparison.variants if name != comparison.reference]
    better, worse = [count.better for count in counts], [count.worse for count in counts]
    told = (
        f"Of {counts[0].of} primary metrics the adapters are better on {min(better)} to {max(better)} "
        f"and worse on {min(worse)} to {max(worse)}."
    )
    return "\n".join([
        *lines, "",
        f"n: {n}. In brackets the 95 % interval of the difference to the baseline; ▲ better, ▼ worse, ? cannot be told (adjusted over "
        f"{comparison.family_size} p-values). {told}",
    ])  # fmt: skip


def _cell(row: MetricRow, name: str) -> str:
    number, interval = notation.value_texts(row.values[name], row.unit)
    difference = row.differences.get(name)
    if difference is None:
        return f"{number} {interval}"
    return f"{number} {notation.difference_texts(difference, row.unit)[1]} {notation.MARKS[difference.verdict]}"


def expected(text: str) -> str:
    """Return README's text with the table as the shipped run gives it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    content = table(compare(Run(ROOT / "sample_data" / "runs" / "sample")))
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def main() -> int:
    """Write the table, or with ``--check`` say whether it is up to date (exit code 1 if not)."""
    text = README.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        return int(text != expected(text))
    README.write_text(expected(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
