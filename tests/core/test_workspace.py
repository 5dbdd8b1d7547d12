"""workspace.yaml: read, checked with sentences, written, and the runs beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from core.errors import InputError
from core.paths import cached_model
from core.spec import AdapterRef, ModelRef, RunSpec, WorkspaceSpec
from core.store import create_run
from core.strict_yaml import read_yaml
from core.workspace import load_workspace, workspace_yaml, write_workspace

GOOD = """\
models:
  base: {path: base}
  adapters:
    small: {path: adapters/small}
datasets:
  tickets: {path: data/tickets.jsonl}
tasks:
  category:
    dataset: tickets
    kind: classification
    prompt: "{ticket}"
    options: [yes, no]
    reference: category
    metrics: [accuracy]
settings: {seed: 3}
"""


def _workspace(folder: Path, text: str = GOOD) -> Path:
    (folder / "workspace.yaml").write_text(text, encoding="utf-8")
    return folder


def _message(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load_workspace(_workspace(folder, text))
    return str(caught.value)


def _run_spec(run_id: str, created: str) -> RunSpec:
    spec = WorkspaceSpec.model_validate(yaml.safe_load(GOOD.replace("yes, no", "a, b")))
    return RunSpec(
        id=run_id, created=created, models=spec.models, datasets=spec.datasets, tasks=spec.tasks, settings=spec.settings
    )


def test_reads_a_workspace_and_keeps_yes_and_no_as_text(tmp_path: Path) -> None:
    workspace = load_workspace(_workspace(tmp_path))
    assert workspace.folder == tmp_path.resolve()
    assert workspace.spec.tasks["category"].options == ("yes", "no")
    assert workspace.spec.settings.seed == 3
    assert load_workspace(tmp_path / "workspace.yaml").spec == workspace.spec


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: classification", "kind: clasification",
         ["line 10", "tasks.category.kind", "'clasification'", "did you mean 'classification'"]),
        ("prompt:", "promt:", ["line 11", "tasks.category.promt", "unknown key", "did you mean 'prompt'"]),
        ("    reference: category\n", "", ["line 8", "tasks.category.reference", "the key is missing"]),
        ("metrics: [accuracy]", "metrics: [acuracy]", ["line 14", "tasks.category.metrics.0", "'acuracy'", "did you mean 'accuracy'"]),
        ("metrics: [accuracy]", "metrics: [bleu]", ["line 14", "tasks.category.metrics.0", "not for classification"]),
        ("metrics: [accuracy]", "metrics: [accuracy]\n    primary: [f1_macro]", ["line 15", "tasks.category.primary", "'f1_macro'"]),
        ("options: [yes, no]", "options: [true, no]", ["line 12", "tasks.category.options.0", "found true", "quotes"]),
        ("options: [yes, no]", "options: {a: 1}", ["line 12", "tasks.category.options", "a group of keys", "a list"]),
        ("seed: 3", "seed: three", ["line 15", "settings.seed", "'three'", "expected"]),
        ("seed: 3", "seed: 3, seed: 4", ["line 15", "settings.seed", "second time"]),
        ("seed: 3", "seed: 3, trust_remote_code: true", ["line 15", "settings.trust_remote_code", "expected"]),
        ("dataset: tickets", "dataset: ticket", ["tasks.category.dataset", "'ticket'", "tickets"]),
        ("small:", "baseline:", ["models", "'baseline' is taken"]),
        ("small:", "a/b:", ["a/b", "a name of letters"]),
        ("{path: base}", "{path: base", ["not valid YAML", "line"]),
        ("seed: 3", "seed: !!python/object/apply:os.getcwd []", ["not valid YAML", "python"]),
        ("metrics: [accuracy]", "answer: {rule: regex}", ["tasks.category.answer", "'pattern'"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_place_found_and_expected(
    tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    assert GOOD.count(old) == 1
    message = _message(tmp_path, GOOD.replace(old, new))
    assert str(tmp_path / "workspace.yaml") in message
    for part in expected:
        assert part in message


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    message = _message(
        tmp_path, GOOD.replace("seed: 3", "seed: x, sed: 1").replace("kind: classification", "kind: clas")
    )
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize("text", ["", "just a text", "- a\n- b\n"])
def test_a_file_that_holds_no_keys_is_told(tmp_path: Path, text: str) -> None:
    assert "expected the keys models, datasets and tasks" in _message(tmp_path, text)


def test_missing_folder_and_missing_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_workspace(tmp_path / "nowhere")
    with pytest.raises(InputError, match="lorascope init"):
        load_workspace(tmp_path)


def test_yaml_that_is_not_utf8_or_full_of_aliases(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"key: \xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_yaml(path)
    layers = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40))
    path.write_text(f"a0: &a0 [x]\n{layers}\n", encoding="utf-8")
    assert read_yaml(path).lines[("a39",)] == 40  # walked once, not 9^39 times


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    workspace = load_workspace(_workspace(tmp_path))
    (tmp_path / "base").mkdir()
    (tmp_path / "adapters").mkdir()
    assert workspace.model_location(ModelRef(path="base")) == workspace.folder / "base"
    assert (
        workspace.model_location(ModelRef(path="cache:tiny")) == cached_model("tiny") == tmp_path / "cache/models/tiny"
    )
    assert workspace.model_location(ModelRef(path="org/name")) == "org/name"
    assert workspace.model_location(AdapterRef(path="adapters/small")) == workspace.folder / "adapters/small"
    assert workspace.resolve("/somewhere/else") == Path("/somewhere/else")
    with pytest.raises(InputError, match="one plain name"):
        workspace.resolve("cache:../../etc")


def test_adapter_folder(tmp_path: Path) -> None:
    workspace = load_workspace(_workspace(tmp_path))
    with pytest.raises(InputError, match=r"models\.adapters\.small\.path: found no folder"):
        workspace.adapter_folder("small")
    with pytest.raises(InputError, match="did you mean 'small'"):
        workspace.adapter_folder("smal")
    (tmp_path / "adapters/small").mkdir(parents=True)
    assert workspace.adapter_folder("small") == workspace.folder / "adapters/small"


def test_runs_newest_first_broken_apart_and_found_by_prefix(tmp_path: Path) -> None:
    workspace = load_workspace(_workspace(tmp_path))
    assert workspace.runs() == []
    for run_id, created in [
        ("b-old", "2026-01-01T00:00:00"),
        ("a-new", "2026-03-01T00:00:00"),
        ("b-mid", "2026-02-01T00:00:00"),
    ]:
        create_run(workspace.runs_folder / run_id, _run_spec(run_id, created))
    future = workspace.runs_folder / "future"
    create_run(future, _run_spec("future", "2026-04-01T00:00:00"))
    content = json.loads((future / "spec.json").read_text())
    (future / "spec.json").write_text(json.dumps(content | {"format_version": 999}))
    (workspace.runs_folder / "stray").mkdir()
    (workspace.runs_folder / "stray/file").touch()
    (workspace.runs_folder / "empty").mkdir()

    assert [run.id for run in workspace.runs()] == ["a-new", "b-mid", "b-old"]
    broken = {run.folder.name: run.reason for run in workspace.broken_runs()}
    assert set(broken) == {"future", "stray"}
    assert "format version 999" in broken["future"]
    assert workspace.run("a").id == "a-new"
    assert workspace.run("b-mid").id == "b-mid"
    with pytest.raises(InputError, match="several runs start with 'b'"):
        workspace.run("b")
    with pytest.raises(InputError, match="did you mean 'b-old'"):
        workspace.run("c-old")


def test_new_run_folders_never_share_a_name(tmp_path: Path) -> None:
    workspace = load_workspace(_workspace(tmp_path))
    folders = [workspace.new_run_folder("demo-") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.is_dir() and folder.name.startswith("demo-") for folder in folders)


def test_a_runs_folder_cannot_be_made_where_a_file_is(tmp_path: Path) -> None:
    workspace = load_workspace(_workspace(tmp_path))
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(InputError, match="no folder can be made"):
        workspace.new_run_folder()


def test_a_run_copied_alone_can_be_viewed(tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    create_run(folder, _run_spec("server-run", "2026-01-01T00:00:00"))
    workspace = load_workspace(folder)
    assert [run.id for run in workspace.runs()] == ["copied"]
    assert workspace.run("cop").spec.id == "server-run"
    assert set(workspace.spec.tasks) == {"category"}


def test_written_workspace_reads_back_and_is_never_overwritten(tmp_path: Path) -> None:
    spec = load_workspace(_workspace(tmp_path, GOOD.replace('"{ticket}"', '"one\\ntwo {ticket}\\n\\nthree"'))).spec
    target = tmp_path / "new"
    path = write_workspace(target, spec, {"models": "first\nsecond"})
    text = path.read_text(encoding="utf-8")
    assert "# first\n# second\nmodels:" in text
    assert "prompt: |" in text
    assert load_workspace(target).spec == spec
    with pytest.raises(InputError, match="was not touched"):
        write_workspace(target, spec)
    assert path.read_text(encoding="utf-8") == text
    assert "seed: 3" in workspace_yaml(spec)
