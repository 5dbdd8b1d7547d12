"""Where to write names beside points so that they cover neither each other nor the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_CHARACTER, _LINE, _MARKER = 6.6, 16.0, 9.0
"""Pixels: a character's mean width and a line's height at 13 px, and a marker's radius with its air."""
_ANGLES = (45, 135, 315, 225, 0, 180, 90, 270, 20, 160, 340, 200)
_RADII = (12.0, 26.0, 42.0, 60.0, 80.0, 104.0)

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plot:
    """Where the points lie in a plot of one size, all in pixels from the left and from the bottom."""

    width: float
    height: float
    points: Sequence[tuple[float, float]]
    obstacles: Sequence[Box] = ()
    """(left, bottom, right, top) of what else must not be covered."""


def place_labels(plots: Sequence[Plot], names: Sequence[str]) -> list[tuple[float, float]]:
    """Return the offset of each label's middle from its point: the nearest place that is free, the emptiest if none is.

    Args:
        plots: one picture at each size that it may be shown at, since an offset is the same number of pixels in all of them.
        names: what is written, one line each.

    Returns:
        (right, up) in pixels, one for each point.
    """
    taken = [[*(_around(point) for point in plot.points), *plot.obstacles] for plot in plots]
    placed = []
    for place, name in enumerate(names):
        size = (_CHARACTER * len(name) + 4, _LINE)
        choices = [_offset(angle, radius, size) for radius in _RADII for angle in _ANGLES]
        troubles = [
            sum(
                _trouble(_box(*plot.points[place], choice, size), filled, plot.width, plot.height)
                for plot, filled in zip(plots, taken, strict=True)
            )
            for choice in choices
        ]
        best = choices[troubles.index(min(troubles))]
        placed.append(best)
        for plot, filled in zip(plots, taken, strict=True):
            filled.append(_box(*plot.points[place], best, size))
    return placed


def is_near(offset: tuple[float, float], name: str) -> bool:
    """Tell whether a label at this offset stands right beside its point, so that no line to it is needed."""
    return abs(offset[0]) <= _CHARACTER * len(name) / 2 + _RADII[0] + 4 and abs(offset[1]) <= _LINE


def _around(point: tuple[float, float]) -> Box:
    return point[0] - _MARKER, point[1] - _MARKER, point[0] + _MARKER, point[1] + _MARKER


def _offset(angle: float, radius: float, size: tuple[float, float]) -> tuple[float, float]:
    """Return the label's middle when its nearest edge is about ``radius`` away in a direction (degrees)."""
    across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return across * (radius + size[0] / 2), up * (radius + size[1] / 4)


def _box(x: float, y: float, offset: tuple[float, float], size: tuple[float, float]) -> Box:
    middle_x, middle_y = x + offset[0], y + offset[1]
    return middle_x - size[0] / 2, middle_y - size[1] / 2, middle_x + size[0] / 2, middle_y + size[1] / 2


def _trouble(box: Box, taken: Sequence[Box], width: float, height: float) -> float:
    """Return the area of a box that lies on others or outside the plot."""
    left, bottom, right, top = box
    inside = max(0.0, min(right, width) - max(left, 0.0)) * max(0.0, min(top, height) - max(bottom, 0.0))
    outside = (right - left) * (top - bottom) - inside
    covered = sum(
        max(0.0, min(right, other[2]) - max(left, other[0])) * max(0.0, min(top, other[3]) - max(bottom, other[1]))
        for other in taken
    )
    return round(outside + covered, 6)
