"""How long reading 200 adapter folders takes: ``python -m benchmarks.adapters``. Aim: under 2 s, and no torch.

Each folder is a copy of a shipped adapter with the files that a trainer leaves beside it: configuration, tensors, log, results, arguments
as YAML and a model card. Then their settings become a run table: rates and seeds differ, so that there are 50 configurations of 4 seeds.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from core.ablation.choices import cells_of
from core.ablation.design import design_of
from core.adapters import read_adapter

SAMPLE = Path(__file__).parents[1] / "sample_data" / "adapters" / "qv-r8"
FOLDERS = 200
SEEDS = 4
CARD = """---
base_model: org/base
license: apache-2.0
---
### Training hyperparameters
- train_batch_size: 8
- num_epochs: 1
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"adapter-{number}" for number in range(FOLDERS)]
        for number, folder in enumerate(folders):
            shutil.copytree(SAMPLE, folder)
            (folder / "README.md").write_text(CARD)
            (folder / "training_args.yaml").write_text(
                f"learning_rate: {(1 + number // SEEDS) * 1e-4}\nlora_rank: 8\nseed: {number % SEEDS}\n"
            )
        started, worked = time.perf_counter(), time.process_time()
        found = [read_adapter(folder) for folder in folders]
        seconds, busy = time.perf_counter() - started, time.process_time() - worked
        started = time.perf_counter()
        design = design_of({facts.folder.name: cells_of(facts) for facts in found})
        designed = time.perf_counter() - started
    settings = sum(len(facts.settings) for facts in found)
    rows = sum(len(facts.training_log.train) for facts in found)
    print(
        "| adapters | settings | log rows | seconds | of them computing | configurations | seconds for the run table | torch loaded |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {len(found)} | {settings:,} | {rows:,} | {seconds:.2f} | {busy:.2f} | {len(design.groups)} | {designed:.2f} | "
        f"{'yes' if 'torch' in sys.modules else 'no'} |"
    )


if __name__ == "__main__":
    main()
