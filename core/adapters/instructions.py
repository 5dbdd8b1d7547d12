"""Follow a pickle's instructions without running them: what it would make, and what it would call, as plain values.

A pickle is a program, and loading one runs it. Here its instructions are only listed (`pickletools.genops`, which decodes and
executes nothing) and followed on a stack of plain values: a class or a function stays a name, and a call stays a note of what
would have been called. See https://docs.python.org/3/library/pickletools.html and https://docs.python.org/3/library/pickle.html.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_LIMIT_STEPS = 500_000


@dataclass
class Made:
    """What a call would have made: what would have been called, and with what."""

    name: str
    arguments: Any = ()
    state: Any = None


@dataclass
class _Machine:
    """The stack on which the instructions are followed."""

    stack: list[Any] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)

    def push(self, value: Any) -> None:
        """Put a value on the stack that there is now: taking off a mark brings back an earlier one."""
        self.stack.append(value)

    def pop_mark(self) -> list[Any]:
        """Return what was pushed since the last mark, and take it off."""
        taken, self.stack = self.stack, self.marks.pop()
        return taken

    def call(self, function: Any, arguments: Any) -> None:
        """Note a call; nothing is called."""
        name = function.name if isinstance(function, Made) else type(function).__name__
        self.called.add(name)
        self.stack.append(Made(name, arguments))


def would_make(content: bytes) -> Iterator[tuple[Any, set[str]]]:
    """Yield each pickled object of a file with the names of what it would have called."""
    file, steps = io.BytesIO(content), 0
    while file.tell() < len(content):
        machine = _Machine()
        for opcode, argument, _ in pickletools.genops(file):
            steps += 1
            if steps > _LIMIT_STEPS:
                raise ValueError(f"more than {_LIMIT_STEPS:,} instructions")
            _follow(machine, opcode.name, argument)
        yield (machine.stack[-1] if machine.stack else None), machine.called


_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_SET": set, "EMPTY_TUPLE": tuple}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


def _follow(machine: _Machine, name: str, argument: Any) -> None:
    """Follow one instruction; the names are those of `pickletools.opcodes`."""
    stack = machine.stack
    if name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name in _EMPTY:
        stack.append(_EMPTY[name]())
    elif name == "MARK":
        machine.marks.append(stack)
        machine.stack = []
    elif name in ("PROTO", "FRAME", "STOP"):
        return
    elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
        machine.memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        machine.memo[len(machine.memo)] = stack[-1]
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(machine.memo[argument])
    elif name in _COLLECT:
        _COLLECT[name](machine)
    elif name in ("GLOBAL", "INST"):
        named = Made(str(argument).replace(" ", "."))
        machine.call(named, machine.pop_mark()) if name == "INST" else stack.append(named)
    elif name in ("PERSID", "EXT1", "EXT2", "EXT4"):
        stack.append(Made("outside"))
    else:  # numbers, texts and bytes: pickletools has decoded them
        stack.append(argument)


def _tuple(machine: _Machine, size: int) -> None:
    taken = machine.stack[-size:]
    del machine.stack[-size:]
    machine.push(tuple(taken))


def _set_items(held: Any, items: list[Any]) -> None:
    if isinstance(held, dict):
        held.update({key: value for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, str)})


def _set_item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_items(machine.stack[-1], [key, value])


def _set_marked_items(machine: _Machine) -> None:
    items = machine.pop_mark()
    _set_items(machine.stack[-1], items)


def _dict(machine: _Machine) -> None:
    made: dict[str, Any] = {}
    _set_items(made, machine.pop_mark())
    machine.push(made)


def _append(machine: _Machine) -> None:
    item = machine.stack.pop()
    _extend(machine.stack[-1], [item])


def _append_marked(machine: _Machine) -> None:
    items = machine.pop_mark()
    _extend(machine.stack[-1], items)


def _extend(held: Any, items: list[Any]) -> None:
    if isinstance(held, list):
        held.extend(items)


def _reduce(machine: _Machine) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    machine.call(function, arguments)


def _new_with_keywords(machine: _Machine) -> None:
    keywords, arguments, function = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.call(function, (arguments, keywords))


def _build(machine: _Machine) -> None:
    state = machine.stack.pop()
    if isinstance(machine.stack[-1], Made):
        machine.stack[-1].state = state


def _object_by_mark(machine: _Machine) -> None:
    function, *arguments = machine.pop_mark()
    machine.call(function, arguments)


def _named_by_stack(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.push(Made(f"{module}.{name}"))


def _outside(machine: _Machine) -> None:
    machine.stack.pop()
    machine.push(Made("outside"))


_COLLECT: dict[str, Callable[[_Machine], object]] = {
    "TUPLE": lambda m: m.push(tuple(m.pop_mark())), "LIST": lambda m: m.push(m.pop_mark()),
    "FROZENSET": lambda m: m.push({str(type(one)) for one in m.pop_mark()}), "ADDITEMS": _Machine.pop_mark, "POP_MARK": _Machine.pop_mark,
    "TUPLE1": lambda m: _tuple(m, 1), "TUPLE2": lambda m: _tuple(m, 2), "TUPLE3": lambda m: _tuple(m, 3),
    "DICT": _dict, "SETITEM": _set_item, "SETITEMS": _set_marked_items, "APPEND": _append, "APPENDS": _append_marked,
    "REDUCE": _reduce, "NEWOBJ": _reduce, "NEWOBJ_EX": _new_with_keywords, "BUILD": _build, "OBJ": _object_by_mark,
    "STACK_GLOBAL": _named_by_stack, "POP": lambda m: m.stack.pop(), "DUP": lambda m: m.push(m.stack[-1]), "BINPERSID": _outside,
}  # fmt: skip
