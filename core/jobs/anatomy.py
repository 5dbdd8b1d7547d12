"""The job that measures what an adapter changed, or how alike two adapters are. It needs no torch, and imports none."""

from __future__ import annotations

from pathlib import Path

from core.adapters import read_adapter
from core.adapters.anatomy import measure_anatomy
from core.adapters.kept import read_request, save_result
from core.adapters.overlap import measure_overlap
from core.jobs.progress import Progress


def anatomy(folder: Path) -> None:
    """Measure what the request in ``folder`` names, and store the result beside it.

    Raises:
        InputError: an adapter or the base is gone, or cannot be measured.
    """
    request = read_request(folder)
    progress = Progress(folder, total=0)
    try:
        facts = read_adapter(Path(request["adapter"]))
        progress.set(state="running", message=f"Measuring {facts.folder.name}")

        def report(done: int, total: int) -> None:
            progress.set(done=done, total=total)

        if request.get("other"):
            result = measure_overlap(facts, read_adapter(Path(request["other"])), report)
        else:
            result = measure_anatomy(facts, Path(request["base"]) if request.get("base") else None, report)
        save_result(folder, result)
    except BaseException:
        progress.stop()
        raise
    progress.finish(state="finished", message="Measured.")
