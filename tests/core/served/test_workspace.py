"""What workspace.yaml says of servers: one shape for a served base, its served adapters, and single served variants."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.prepare import Choice, chosen_models, prepare_run
from core.workspace import load_workspace

HEAD = """models:
  base: {path: org/base}
"""
REST = """datasets: {d: {path: d.jsonl}}
tasks: {t: {dataset: d, kind: generation, prompt: "{q}", reference: a}}
"""
SERVERS = "  servers: {s: {url: 'http://127.0.0.1:8000/v1/'}}\n"
KEY = "sk-proj-0123456789abcdef"


def _workspace(folder: Path, models: str) -> Path:
    (folder / "workspace.yaml").write_text(HEAD + models + REST)
    (folder / "d.jsonl").write_text('{"q": "x", "a": "y"}\n')
    return folder


def test_served_variants_come_last_and_a_served_baseline_first(tmp_path: Path) -> None:
    served = "  served: {gpt: {server: s, model: gpt}, baseline: {server: s, model: b}}\n"
    models = load_workspace(_workspace(tmp_path, SERVERS + served)).spec.models
    assert models.variants == ("baseline", "gpt") and models.computed_here == ()
    assert models.servers["s"].url == "http://127.0.0.1:8000/v1", "without the slash at its end"
    chosen = chosen_models(load_workspace(tmp_path), ())
    assert chosen.variants == ("baseline",) and chosen.computed_here == (), "its baseline stays served"
    assert chosen_models(load_workspace(tmp_path), ("gpt",)).variants == ("baseline", "gpt")


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (f"  servers: {{s: {{url: 'http://h/v1', key: {KEY}}}}}\n", "line 3: models.servers.s.key: found something else"),
        (f"  servers: {{s: {{url: 'http://me:{KEY}@h/v1'}}}}\n", "models.servers.s.url: found more than an address"),
        (f"  servers: {{s: {{url: 'http://h/v1?api_key={KEY}'}}}}\n", "models.servers.s.url: found more than an address"),
        ("  servers: {s: {url: 'ftp://h/v1'}}\n", "models.servers.s.url: expected an address such as http://127.0.0.1:8000/v1"),
        ("  servers: {s: {url: 'http://h:99999/v1'}}\n", "models.servers.s.url: expected an address such as"),
        ("  servers: {s: {url: 'http://h/v1', concurrency: 0}}\n", "models.servers.s.concurrency: found 0"),
        ("  servers: {s: {url: 'http://h/v1', api: chats}}\n", "models.servers.s.api: found 'chats' (did you mean 'chat'?)"),
        ("  servers: {s: {url: 'http://h/v1', kay: X}}\n", "models.servers.s.kay: unknown key (did you mean 'key'?)"),
        (SERVERS + "  served: {gpt: {server: t, model: m}}\n", "served.gpt.server: found 't', expected one of `servers`: s"),
        (SERVERS + "  served: {gpt: {server: s}}\n", "models.served.gpt.model: the key is missing"),
        (
            SERVERS + f"  served: {{gpt: {{server: s, model: m, body: {{api_key: {KEY}}}}}}}\n",
            "models.served.gpt.body: found 'api_key': a key belongs in an environment variable",
        ),
        (SERVERS + "  served: {gpt: {server: s, model: m, body: {stream: true}}}\n", "found 'stream', which a run writes itself"),
        ("  adapters: {x: {path: x}}\n" + SERVERS + "  served: {x: {server: s, model: m}}\n", "'x' is taken"),
    ],
)  # fmt: skip
def test_mistakes_are_told_and_a_key_never(tmp_path: Path, models: str, sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        load_workspace(_workspace(tmp_path, models))
    assert sentence in str(raised.value) and KEY not in str(raised.value)


def test_a_served_base_and_an_adapter_of_files_do_not_fit_together(tmp_path: Path) -> None:
    models = "  adapters: {x: {path: x}}\n" + SERVERS + "  served: {baseline: {server: s, model: m}}\n"
    with pytest.raises(
        InputError, match=r"models\.served\.baseline: the base is served, and 'x' is a folder on this disk"
    ):
        prepare_run(load_workspace(_workspace(tmp_path, models)), Choice())


def test_tokens_need_a_tokenizer(tmp_path: Path) -> None:
    models = SERVERS.replace("}}", ", api: completions}}") + "  served: {baseline: {server: s, model: m}}\n"
    with pytest.raises(
        InputError, match=r"models\.servers\.s\.api: with 'completions' 'baseline' is asked in tokens, and .* holds no"
    ):
        prepare_run(load_workspace(_workspace(tmp_path, models)), Choice())
