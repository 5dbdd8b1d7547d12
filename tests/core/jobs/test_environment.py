"""What a run's folder says of how it was made: enough for a viewer that has neither the models nor the adapters."""

from __future__ import annotations

import json
from pathlib import Path

from core.jobs.environment import describe
from core.prepare import Choice, prepare_run
from core.workspace import load_workspace


def test_size_and_training_time_of_each_adapter_are_kept(workspace: Path) -> None:
    (workspace / "adapters" / "lora-0" / "train_results.json").write_text(json.dumps({"train_runtime": 61.5}))
    opened = load_workspace(workspace)
    run = prepare_run(opened, Choice(name="whole"))
    checkpoint = workspace / "base"
    (checkpoint / "all_results.json").write_text(json.dumps({"train_runtime": 7.0}))
    found = describe(opened, run.spec, workspace / "base", {"whole": checkpoint})["training"]
    assert found["lora-0"]["seconds"] == 61.5
    assert found["lora-1"]["seconds"] is None
    assert found["lora-0"]["parameters"] > 0
    assert found["lora-0"]["bytes"] == 4 * found["lora-0"]["parameters"], "float32"
    assert found["whole"] == {"seconds": 7.0}
