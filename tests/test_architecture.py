"""The direction of the imports: read from every syntax tree, lazy imports included, and from a process that imports it all."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests.import_walk import IMPORTS, ROOT, module_name, names_imported, source_files, within, within_any

HEAVY = ("torch", "transformers", "peft", "accelerate")

ONLY_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(HEAVY, ("core.engine", "core.jobs", "sample_data.train_adapters")),
    "streamlit": ("dashboard",),
    "evaluate": ("core.metrics.exchange", "core.jobs"),
    "datasets": ("core.metrics.exchange",),
    "trl": (),
    "ray": ("core.jobs.cluster",),
    "vllm": ("core.engine.vllm_models",),
    "httpx": ("core.served",),
    "anyio": ("core.jobs.served",),
    "pickle": (),
    "sqlalchemy": ("core.ratings",),
    **{name: (f"core.push.{name}",) for name in ("mlflow", "wandb", "tensorboard")},
}
"""Who alone may import a package."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "core.errors": (),
    "core.paths": (),
    "core.tree": (),
    "core.records": ("core.errors",),
    "core.model_set": ("core.records",),
    "core.ablation_spec": ("core.model_set", "core.records"),
    "core.spec": ("core.records", "core.errors", "core.model_set", "core.ablation_spec", "core.prompt_spec"),
    "core.parquet_rows": (),
    "core.text_columns": (),
    "core.compaction": ("core.parquet_rows",),
    "core.stored_examples": ("core.parquet_rows", "core.records", "core.text_columns"),
    "core.store": (
        "core.spec",
        "core.records",
        "core.errors",
        "core.compaction",
        "core.parquet_rows",
        "core.stored_examples",
    ),
    "core.strict_yaml": ("core.errors",),
    "core.row_blocks": (),
    "core.stats": ("core.errors", "core.row_blocks"),
    "core.metrics": ("core.records", "core.errors", "core.paths", "core.row_blocks", "core.stats"),
    "core.weights": ("core.errors", "core.paths", "core.store"),
    "core.adapters": (
        "core.weights",
        "core.errors",
        "core.paths",
        "core.store",
        "core.records",
        "core.spec",
        "core.model_set",
        "core.ablation_spec",
        "core.data.chat_template",
    ),
    "core.prompt_spec": ("core.spec",),
    "core.conversation": ("core.data.placeholders", "core.records", "core.spec", "core.errors"),
    "core.rendering": (
        "core.conversation",
        "core.data.chat_template",
        "core.data.placeholders",
        "core.data.prompt",
        "core.records",
        "core.spec",
        "core.errors",
    ),
    "core.requests": ("core.data.prompt", "core.rendering", "core.records", "core.spec", "core.errors"),
    "core.asking": (
        "core.requests",
        "core.data.chat_template",
        "core.data.placeholders",
        "core.data.prompt",
        "core.records",
        "core.spec",
        "core.errors",
    ),
    "core.plan": (
        "core.asking",
        "core.requests",
        "core.data.prompt",
        "core.tree",
        "core.records",
        "core.spec",
        "core.errors",
    ),
}
"""The low rooms: what each may import of the project beside itself."""

MAY_NOT_IMPORT: dict[str, tuple[str, ...]] = {
    "core": ("dashboard", "tests", "sample_data"),
    "core.charts": ("core.cli", "core.jobs", "core.engine", "core.workspace"),
    "core.compare": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.workspace"),
    "core.experiment": ("core.charts", "core.cli", "core.engine"),
    "core.robustness": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.workspace", "core.compare"),
    "core.data": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.compare", "core.plan"),
    "core.workspace": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.compare", "core.plan"),
    "core.engine": (
        "core.jobs", "core.cli", "core.compare", "core.charts", "core.metrics", "core.stats", "core.store", "core.workspace",
    ),
    "core.jobs": ("core.cli", "core.compare", "core.charts", "core.stats"),
    "core.ratings": ("core.cli", "core.jobs", "core.engine", "core.workspace", "core.compare"),
    "core.report": ("core.cli", "core.jobs", "core.engine", "core.push"),
    "core.push": ("core.cli", "core.jobs", "core.engine"),
    "core.wording": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.workspace", "core.report"),
    "core.ablation": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.report", "core.experiment"),
    "core.joined": ("core.charts", "core.cli", "core.engine", "core.workspace", "core.report", "core.compare"),
    "core.gate": ("core.charts", "core.cli", "core.jobs", "core.engine", "core.workspace", "core.report"),
    "core.imports": ("core.cli", "core.compare", "core.charts", "core.engine", "core.workspace", "core.stats"),
    "core.served": ("core.jobs", "core.cli", "core.engine", "core.workspace", "core.store", "core.charts"),
    "dashboard": ("core.engine", "core.served", "core.cli", "tests", "sample_data"),
    "dashboard.parts": ("dashboard.app",),
    "dashboard.state": ("dashboard.views", "dashboard.parts", "dashboard.app"),
    "dashboard.cache": ("dashboard.views", "dashboard.parts", "dashboard.app"),
    "dashboard.views": ("dashboard.app",),
}  # fmt: skip

ENGINE_USERS = ("core.engine", "core.jobs")
"""Nothing else of core or dashboard imports the engine; the sample's training script may."""

JOBS_FOR_VIEWERS = (
    "core.jobs",
    "core.jobs.adapter_launch",
    "core.jobs.identities",
    "core.jobs.launch",
    "core.jobs.own_launch",
    "core.jobs.status",
)
"""What of the jobs may be imported outside core.jobs: starting, watching, stopping, the keys of what is kept; but no job itself."""

CLI_ROOM = "core.cli"


def test_the_walk_sees_the_imports_that_are_there() -> None:
    seen = {(one.importer, one.imported) for one in IMPORTS}
    assert ("core.store", "core.spec") in seen
    assert ("core.engine.models", "torch") in seen
    assert ("dashboard.serve", "streamlit.web") in seen, "a lazy import inside a function"
    assert ("core.metrics.registry", "core.metrics") in seen, "import_module with a formatted name"


@pytest.mark.parametrize(
    "source",
    [
        "import a.b",
        "from a import b",
        "from . import b",
        "from .b import c",
        "from .. import b",
        "import_module('a.b')",
    ],
)
def test_every_form_of_import_is_understood(source: str) -> None:
    importer = {"from .. import b": "a.x.y"}.get(source, "a.x")
    names = [name for node in ast.walk(ast.parse(source)) for name in names_imported(node, importer, is_package=False)]
    assert "a.b" in names


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_packages_stay_in_their_rooms(package: str) -> None:
    wrong = [
        one.place for one in IMPORTS if within(one.imported, package) and not within_any(one.importer, ONLY_IN[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_low_rooms_import_only_what_is_below_them(room: str) -> None:
    assert any(within(module_name(path), room) for path in source_files()), f"there is no {room}: mend the test"
    allowed = (room, "core", *MAY_IMPORT[room])
    wrong = [
        one.place for one in IMPORTS
        if within(one.importer, room) and within(one.imported, "core")
        and one.imported != "core" and not within_any(one.imported, allowed[:1] + allowed[2:])
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("room", sorted(MAY_NOT_IMPORT))
def test_arrows_point_one_way(room: str) -> None:
    assert any(within(module_name(path), room) for path in source_files()), f"there is no {room}: mend the test"
    wrong = [
        one.place for one in IMPORTS if within(one.importer, room) and within_any(one.imported, MAY_NOT_IMPORT[room])
    ]
    assert wrong == []


def test_only_the_analysis_of_ratings_computes_statistics() -> None:
    analysis, statistics = (
        "core.ratings.analysis",
        ("core.stats", "core.metrics", "core.derived", "core.ratings.analysis"),
    )
    assert any(within(one.importer, analysis) and within(one.imported, "core.stats") for one in IMPORTS)
    wrong = [
        one.place for one in IMPORTS
        if within(one.importer, "core.ratings") and not within(one.importer, analysis) and within_any(one.imported, statistics)
    ]  # fmt: skip
    assert wrong == []


def test_only_jobs_import_the_engine() -> None:
    wrong = [
        one.place for one in IMPORTS
        if within(one.imported, "core.engine") and not within_any(one.importer, (*ENGINE_USERS, "sample_data.train_adapters"))
    ]  # fmt: skip
    assert wrong == []


def test_jobs_are_started_and_watched_from_outside_and_never_run() -> None:
    wrong = []
    for one in IMPORTS:
        if within(one.importer, "core.jobs") or not within(one.imported, "core.jobs"):
            continue
        module = ".".join(one.imported.split(".")[:3])
        if module not in JOBS_FOR_VIEWERS:
            wrong.append(one.place)
    assert wrong == []


def test_only_the_command_line_imports_itself() -> None:
    assert [one.place for one in IMPORTS if within(one.imported, CLI_ROOM) and not within(one.importer, CLI_ROOM)] == []


def test_one_parts_file_draws_views_and_the_others_do_not_know_them() -> None:
    users = {
        one.importer
        for one in IMPORTS
        if within(one.imported, "dashboard.views") and not within(one.importer, "dashboard.views")
    }
    assert users <= {"dashboard.parts.navigation", "dashboard.app"}


def _viewing_modules() -> list[str]:
    """Return every module that viewing may load: all of core but engine and jobs' kinds, all of dashboard but its entry."""
    names = [module_name(path) for path in source_files() if not path.is_relative_to(ROOT / "sample_data")]
    return [
        name for name in names
        if name != "dashboard.app" and not within(name, "core.engine")
        and (not within(name, "core.jobs") or name in JOBS_FOR_VIEWERS)
    ]  # fmt: skip


def test_viewing_loads_no_model_library() -> None:
    modules = _viewing_modules()
    assert {
        "core.compare",
        "core.store",
        "core.workspace",
        "core.cli.main",
        "core.cli.evaluate",
        "dashboard.views.compare",
    } <= set(modules)
    code = (
        "import importlib, json, sys\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "from core.metrics.registry import all_metrics; all_metrics()\n"
        "print('LOADED', json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = set(json.loads(done.stdout.partition("LOADED ")[2]))
    assert "pandas" in loaded, "the modules were really imported"
    assert loaded.isdisjoint({*HEAVY, "evaluate", "datasets"})
