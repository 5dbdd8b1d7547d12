"""What was written for TensorBoard, read back with its own accumulator and its own backend of HParams."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.core.push.made import TEXTS, made_result

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")

from tensorboard.backend.event_processing import (  # noqa: E402
    data_provider,
    event_accumulator,
    plugin_event_multiplexer,
)
from tensorboard.context import RequestContext  # noqa: E402
from tensorboard.plugins.base_plugin import TBContext  # noqa: E402
from tensorboard.plugins.hparams import backend_context, list_session_groups  # noqa: E402

from core.push.tensorboard import push  # noqa: E402
from core.report.markdown import escaped  # noqa: E402

api_pb2: Any = import_module("tensorboard.plugins.hparams.api_pb2")


def read(folder: str) -> Any:
    accumulator = event_accumulator.EventAccumulator(folder)
    accumulator.Reload()
    return accumulator


def test_numbers_are_scalars_and_the_text_says_what_it_is(tmp_path: Path) -> None:
    result = made_result()
    (pushed,) = push([result], str(tmp_path), "desk")
    assert (pushed.change, pushed.where) == ("new", str(tmp_path / "desk" / "sample" / "qv-r8-against-baseline"))
    found = read(pushed.where)
    numbers = {tag: found.Tensors(tag)[0].tensor_proto.float_val[0] for tag in result.metrics}
    assert numbers == result.metrics
    (text,) = found.Tensors("lorascope")[0].tensor_proto.string_val
    assert f"| {escaped('lorascope.without.reply/bleu')} | &lt;script&gt;" in text.decode()
    assert {name: (Path(pushed.where) / name).read_bytes() for name in result.files} == result.files


def test_hparams_shows_a_row_for_each_variant_with_parameters_and_metrics(tmp_path: Path) -> None:
    push([made_result(), made_result(variant="qv-r2", key="f" * 32, parameters={"r": 2})], str(tmp_path), "desk")
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path))
    context, asked = backend_context.Context(TBContext(data_provider=provider)), RequestContext()
    columns = [
        api_pb2.ColParams(hparam="r", include_in_result=True),
        *(api_pb2.ColParams(hparam=f"text {name}", include_in_result=True) for name in TEXTS),
    ]
    found = context.experiment_from_metadata(
        asked, "", include_metrics=True, hparams_limit=1000,
        hparams_run_to_tag_to_content=context.hparams_metadata(asked, ""),
        data_provider_hparams=context.hparams_from_data_provider(asked, "", 1000),
    )  # fmt: skip
    metrics = {(one.name.group, one.name.tag) for one in found.metric_infos}
    assert ("", "reply/rouge_l") in metrics
    request = api_pb2.ListSessionGroupsRequest(
        slice_size=10,
        start_index=0,
        allowed_statuses=[api_pb2.STATUS_UNKNOWN],
        col_params=columns,
        include_metrics=True,
    )
    groups = {one.name: one for one in list_session_groups.Handler(asked, context, "", request).run().session_groups}
    assert set(groups) == {made_result().key, "f" * 32}
    whole = groups[made_result().key]
    assert whole.hparams["r"].number_value == 8 and groups["f" * 32].hparams["r"].number_value == 2
    shown = {name: whole.hparams[f"text {name}"].string_value for name in TEXTS}
    assert shown == TEXTS | {"surrogate": "a?b", "nul": "ab"}
    values = {one.name.tag: one.value for session in whole.sessions for one in session.metric_values}
    assert values["reply/rouge_l"] == 0.25


def test_pushed_again_it_is_there_once(tmp_path: Path) -> None:
    push([made_result()], str(tmp_path), "desk")
    assert push([made_result()], str(tmp_path), "desk")[0].change == "unchanged"
    (again,) = push([made_result(metrics={"reply/rouge_l": 0.75})], str(tmp_path), "desk")
    assert again.change == "replaced"
    assert [one.name for one in Path(again.where).glob("events.out.*")] == ["events.out.tfevents.lorascope"]
    (event,) = read(again.where).Tensors("reply/rouge_l")
    assert event.tensor_proto.float_val[0] == 0.75


def test_the_reference_has_a_folder_of_its_own(tmp_path: Path) -> None:
    (pushed,) = push([made_result(variant="baseline")], str(tmp_path), "desk")
    assert Path(pushed.where).name == "baseline"


def test_no_target_brings_a_model_library_along() -> None:
    code = (
        "import sys, mlflow.tracking, wandb\n"
        "import tensorboard.plugins.hparams.summary_v2, tensorboard.summary.writer.record_writer\n"
        "print(sorted({'torch', 'tensorflow', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr[-2000:]
