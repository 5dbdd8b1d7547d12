"""Weights & Biases: a run for each variant, written offline; ``wandb sync`` sends it when its owner says so.

Nothing is sent from here: results of a model may hold what a person did not mean to give away.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import RunError
from core.push.content import VariantResult
from core.push.target import Pushed, need, utf8
from core.store import write_atomically

_DIGEST_FILE = "lorascope-digest.txt"


def push(results: Sequence[VariantResult], where: str, project: str) -> list[Pushed]:
    """Write each variant as an offline run, in ``where/wandb/offline-run-…-KEY``.

    The id of a run is its key, so that what is synced twice is one run there. A variant that was written before is not written
    again; where its results have changed since, it is kept and said so, for it may have been synced already.

    Args:
        results: what to write.
        where: a folder, made where it is not there.
        project: the project that ``wandb sync`` puts the runs in.

    Raises:
        InputError: wandb is not installed.
        RunError: wandb could not write.
    """
    need("wandb", "wandb", "Weights & Biases")
    # Without these the library tells its makers of errors, and asks for a login where there is none.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_SILENT", "true")
    folder = Path(where).expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return [_push(result, folder, project) for result in results]


def _push(result: VariantResult, folder: Path, project: str) -> Pushed:
    for there in sorted((folder / "wandb").glob(f"offline-run-*-{result.key}")):
        digest = there / _DIGEST_FILE
        if digest.is_file():
            same = digest.read_text(encoding="utf-8").strip() == result.digest
            return Pushed(result.variant, "unchanged" if same else "kept", str(there))
    written = _write(result, folder, project)
    write_atomically(written / _DIGEST_FILE, f"{result.digest}\n".encode())
    return Pushed(result.variant, "new", str(written))


def _write(result: VariantResult, folder: Path, project: str) -> Path:
    import wandb

    settings = wandb.Settings(
        console="off", silent=True, disable_git=True, disable_code=True, x_disable_stats=True, x_disable_meta=True,
        x_save_requirements=False,
    )  # fmt: skip
    # Tags of Weights & Biases are bare words: what is said of the run stands in its configuration.
    told = {name: utf8(text) for name, text in result.tags.items()}
    config = {
        name: utf8(value) if isinstance(value, str) else value for name, value in result.parameters.items()
    } | told
    try:
        run = wandb.init(
            project=project, id=result.key, name=f"{result.run_id}: {result.variant}", group=result.run_id, mode="offline",
            dir=str(folder), config=config, tags=["lorascope"], settings=settings, job_type="evaluation",
        )  # fmt: skip
        run.summary.update(result.metrics)
        # Beside the run's own file: an artifact would lie in a folder of the user's home, and could not be copied along.
        for name, content in result.files.items():
            path = Path(run.dir, name)
            path.write_bytes(content)
            run.save(str(path), base_path=run.dir, policy="now")
        written = Path(run.dir).parent
        run.finish()
    except wandb.Error as error:
        raise RunError(f"{folder}: Weights & Biases could not write ({error}). Push again to go on.") from None
    return written
