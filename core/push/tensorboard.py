"""TensorBoard: a folder for each variant, with its numbers as scalars, its parameters for HParams, and what it is as a text.

The event file is written record by record through TensorBoard's own classes, which import neither TensorFlow nor torch.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from core.push.content import PREFIX, VariantResult
from core.push.target import Pushed, need, utf8
from core.report.markdown import escaped
from core.store import write_atomically

_FILE, _DIGEST_FILE = "events.out.tfevents.lorascope", "lorascope-digest.txt"
"""One file a variant: what is written again takes its place. TensorBoard reads what has ``tfevents`` in its name."""


def push(results: Sequence[VariantResult], where: str, project: str) -> list[Pushed]:
    """Write each variant into ``where/PROJECT/RUN/VARIANT-against-REFERENCE``; report and tables lie beside the event file.

    What is written again replaces what was there, and nothing is written where nothing changed.

    Args:
        results: what to write.
        where: the folder that ``tensorboard --logdir`` is given.
        project: the name of the folder in it.

    Raises:
        InputError: TensorBoard is not installed.
    """
    need("tensorboard", "tensorboard", "TensorBoard")
    return [_push(result, Path(where).expanduser().resolve() / project) for result in results]


def _push(result: VariantResult, folder: Path) -> Pushed:
    against = "" if result.variant == result.reference else f"-against-{result.reference}"
    place = folder / result.run_id / f"{result.variant}{against}"
    digest, was_there = place / _DIGEST_FILE, (place / _FILE).is_file()
    if was_there and digest.is_file() and digest.read_text(encoding="utf-8").strip() == result.digest:
        return Pushed(result.variant, "unchanged", str(place))
    digest.unlink(missing_ok=True)
    write_atomically(place / _FILE, _events(result))
    for name, content in result.files.items():
        write_atomically(place / name, content)
    write_atomically(digest, f"{result.digest}\n".encode())
    return Pushed(result.variant, "replaced" if was_there else "new", str(place))


def _events(result: VariantResult) -> bytes:
    from tensorboard.summary.writer.record_writer import RecordWriter

    # protobuf makes its classes when the module is imported, so that no type checker knows them.
    event: Any = import_module("tensorboard.compat.proto.event_pb2").Event
    sink, now = io.BytesIO(), time.time()
    writer = RecordWriter(sink)
    writer.write(event(wall_time=now, file_version="brain.Event:2").SerializeToString())
    for summary in _summaries(result, now):
        writer.write(event(wall_time=now, step=0, summary=summary).SerializeToString())
    writer.flush()
    return sink.getvalue()


def _summaries(result: VariantResult, now: float) -> Iterator[Any]:
    """Yield each summary, a protobuf message."""
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.plugins.text.summary_v2 import text_pb

    told = {f"{PREFIX}{name}": result.tags[f"{PREFIX}{name}"] for name in ("run", "reference")}
    parameters = {
        name: utf8(value) if isinstance(value, str) else value for name, value in (result.parameters | told).items()
    }
    yield hparams_pb(parameters, trial_id=result.key, start_time_secs=now)
    for name, value in result.metrics.items():
        yield scalar_pb(name, value)
    lines = [f"| {escaped(utf8(name))} | {escaped(utf8(text))} |" for name, text in result.tags.items()]
    yield text_pb("lorascope", "\n".join(["| What | Value |", "| --- | --- |", *lines]))
