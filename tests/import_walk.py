"""What the project's modules import, read from every syntax tree: lazy imports included, those by name too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Import:
    importer: str
    imported: str
    place: str


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    return [path for folder in ("core", "dashboard", "sample_data") for path in sorted((ROOT / folder).rglob("*.py"))]


def names_imported(node: ast.AST, importer: str, is_package: bool) -> Iterator[str]:
    """Yield what a node imports; of ``from a import b`` both ``a`` and ``a.b``, since ``b`` may be a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            package = importer.split(".")[: None if is_package and node.level == 1 else -node.level + int(is_package)]
            module = ".".join([*package, *filter(None, [module])])
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if called in ("import_module", "__import__"):
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value
            elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                yield str(first.values[0].value).rstrip(".")


def all_imports() -> list[Import]:
    found = []
    for path in source_files():
        importer = module_name(path)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for name in names_imported(node, importer, path.name == "__init__.py"):
                found.append(
                    Import(importer, name, f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} imports {name}")
                )
    return found


IMPORTS = all_imports()


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def within_any(module: str, rooms: tuple[str, ...]) -> bool:
    return any(within(module, room) for room in rooms)
