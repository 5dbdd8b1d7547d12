"""Read YAML safely and strictly: no Python objects, no key twice, and the line of every key for error messages.

Only ``true`` and ``false`` are booleans, as in YAML 1.2: the labels ``yes``, ``no``, ``on`` and ``off`` stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputError

_BOOLEAN = "tag:yaml.org,2002:bool"


@dataclass(frozen=True)
class YamlDocument:
    """What a YAML file holds."""

    path: Path
    content: Any
    lines: dict[tuple[str | int, ...], int]
    """The line, counted from 1, where each key or list item starts."""

    def line(self, key: tuple[str | int, ...]) -> int | None:
        """Return the line of a key, or of the nearest key above it that is in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def place(self, key: tuple[str | int, ...]) -> str:
        """Return ``file.yaml, line 3``, or the file alone where there is no line."""
        line = self.line(key)
        return f"{self.path}, line {line}" if line else str(self.path)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's booleans."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML document.

    Raises:
        InputError: the file cannot be read, is not UTF-8, is not YAML, or has a key twice; with the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            _note_lines(node, (), lines, path, set())
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{path}{where}: not valid YAML: {error.problem or error.context}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    finally:
        loader.dispose()
    return YamlDocument(path, content, lines)


def _note_lines(
    node: yaml.Node, key: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path, above: set[int]
) -> None:
    """Fill ``lines`` and refuse repeated keys; an alias is followed once, so that it can neither loop nor explode."""
    if id(node) in above:
        return
    above.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for name_node, value in node.value:
            inner = (*key, str(name_node.value))
            line = name_node.start_mark.line + 1
            if inner in lines:
                raise InputError(
                    f"{path}, line {line}: the key {'.'.join(map(str, inner))!r} stands here a second time; the first is in "
                    f"line {lines[inner]}. Keep one of them."
                )
            lines[inner] = line
            _note_lines(value, inner, lines, path, above)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            lines[(*key, place)] = value.start_mark.line + 1
            _note_lines(value, (*key, place), lines, path, above)
