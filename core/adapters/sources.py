"""The files beside an adapter that say how it was trained, each read into plain settings: results, arguments, model card."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from core.adapters.pickled import FILE as PICKLED
from core.adapters.pickled import read_pickled_settings
from core.errors import InputError

ARGUMENTS = ("training_args.yaml", "training_args.yml")
CARD = "README.md"
RESULTS = ("train_results.json", "eval_results.json", "all_results.json")
_LIMIT_BYTES = 2_000_000
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_BULLET = re.compile(r"^\s*[-*]\s+([A-Za-z_][A-Za-z0-9_ ]{1,60}):\s+(\S.{0,300}?)\s*$")
_OPTIMIZER = re.compile(r"(?:Use\s+)?(?:OptimizerNames\.)?([A-Za-z0-9_]+)\s+(?:and the args are|with\s)", re.IGNORECASE)
_CARD_KEYS = ("base_model", "datasets", "language", "license", "library_name")

Values = dict[str, Any]


def read_sources(folder: Path, warnings: list[str]) -> dict[str, Values]:
    """Return what each file beside an adapter says, the most trusted first: file name, then values by the file's own names.

    Arguments that a trainer dumped count before the results it wrote, and those before the model card, which people edit.
    A file that cannot be read is named in ``warnings`` and left out.
    """
    found: dict[str, Values] = {}
    readers: list[tuple[str, Callable[[Path, list[str]], Values]]] = [
        (PICKLED, _pickled), *((name, _yaml_file) for name in ARGUMENTS), *((name, _results) for name in RESULTS), (CARD, _card),
    ]  # fmt: skip
    for name, read in readers:
        path = folder / name
        if not path.is_file():
            continue
        try:
            values = read(path, warnings)
        except InputError as error:
            warnings.append(str(error))
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            reason = " ".join(str(error).split())[:200]
            warnings.append(f"{name} cannot be read ({reason}); what it says is left out.")
        else:
            if values:
                found[name] = values
    return found


def _text(path: Path) -> str:
    if path.stat().st_size > _LIMIT_BYTES:
        raise ValueError(f"{path.stat().st_size:,} bytes, more than such a file has")
    return path.read_text(encoding="utf-8-sig")


def _pickled(path: Path, warnings: list[str]) -> Values:
    found = read_pickled_settings(path)
    warnings += found.warnings
    return found.values


def _yaml_file(path: Path, _warnings: list[str]) -> Values:
    return _flat(_load_yaml(_text(path)), path.name)


def _results(path: Path, _warnings: list[str]) -> Values:
    return _flat(json.loads(_text(path)), path.name)


def _card(path: Path, _warnings: list[str]) -> Values:
    """Return what a model card says in its YAML head and in its list of hyperparameters."""
    text = _text(path)
    values: Values = {}
    if head := _FRONT.match(text):
        content = _load_yaml(head[1])
        content = content if isinstance(content, dict) else {}
        values = {key: content[key] for key in _CARD_KEYS if _is_plain(content.get(key)) and content.get(key) != []}
    return values | _bullets(text[head.end() if head else 0 :].splitlines())


def _bullets(lines: Iterable[str]) -> Values:
    """Return ``- learning_rate: 0.0002`` and its like from under a heading that speaks of hyperparameters."""
    values: Values = {}
    inside = False
    for line in lines:
        if line.startswith("#"):
            inside = "hyperparameter" in line.lower()
        elif inside and (match := _BULLET.match(line)):
            name, value = match[1].strip().lower().replace(" ", "_"), match[2].strip("`* ")
            if name == "optimizer":
                if told := _OPTIMIZER.match(value):
                    values["optim"] = told[1].lower()
            else:
                values[name] = _scalar(value)
    return values


def _scalar(text: str) -> Any:
    """Return a number or flag where a text is one; ``1e-4``, which YAML 1.1 takes for text, included."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _load_yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _flat(content: Any, name: str) -> Values:
    if not isinstance(content, Mapping):
        raise ValueError(f"found {type(content).__name__}, expected an object with settings")
    plain = {str(key): value for key, value in content.items() if _is_plain(value) and not _is_secret(str(key))}
    return {
        key: _scalar(value) if isinstance(value, str) and name in ARGUMENTS else value for key, value in plain.items()
    }


def _is_secret(name: str) -> bool:
    return name.lower().endswith(("token", "password", "secret", "api_key"))


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(inner, str | int | float) for inner in value)
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
