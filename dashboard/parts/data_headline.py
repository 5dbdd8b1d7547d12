"""The first lines of the Data page: what the file is, what is wrong with it, what is cut off and what leaked."""

from __future__ import annotations

import html
import re

import streamlit as st

from core.charts.shares import percent_text
from core.data.inspect.headline import headline
from core.data.profile.leakage import Leakage
from core.errors import InputError
from core.notation import counted, size_text
from dashboard.parts import data_results
from dashboard.parts.data_files import DataFile, is_evaluation
from dashboard.parts.data_scene import Scene

_OWN_FIELDS = "An evaluation file: tasks make prompts of its fields, so it need not have a form that a trainer reads."
_CODE = re.compile(r"`([^`]*)`")


def draw_headline(scene: Scene) -> None:
    """Draw the sentence and what it rests on. Of a large file, what would take long is said once it is known."""
    parts = [headline(scene.scan, evaluation=scene.is_evaluation), *filter(None, [_cut(scene), _leaked(scene)])]
    st.html(f'<div class="ls-lead" data-name="headline">{with_code(", ".join(parts))}.</div>')
    guess, scan = scene.scan.format, scene.scan
    own = is_evaluation_alone(scene)
    stage = f"Suits {guess.stage}. " if guess.stage != "unknown" else ""
    sure = f", {100 * guess.confidence:.0f} % sure" if guess.name != "unknown" else ""
    packed = f", {scan.compression}" if scan.compression else ""
    facts = [
        _OWN_FIELDS if own else f"{stage}{guess.stage_reason}",
        f"Format `{guess.name}`{sure}: {guess.why}",
        f"{scan.kind.upper() if scan.kind != 'jsonl' else 'JSONL'}{packed}, {scan.encoding}, {size_text(scan.n_bytes)}, "
        f"SHA-256 {scan.sha256[:12]}.",
    ]
    if guess.name == "unknown" and scan.rows and not own:
        facts[0] += " Where this is one, choose the training file that it stands beside under Duplicates and leakage."
    if own and scan.fault_total:
        facts[0] += " Its faults say only that nobody can train on it as it is."
    st.html("".join(f'<p class="ls-foot">{with_code(fact)}</p>' for fact in facts))


def is_evaluation_alone(scene: Scene) -> bool:
    """Tell whether the file serves an evaluation and has no form that a trainer reads."""
    return scene.is_evaluation and scene.scan.format.name == "unknown"


def with_code(text: str) -> str:
    """Return a sentence of ours as HTML, escaped, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def as_pair(scene: Scene, partner: DataFile) -> tuple[DataFile, DataFile]:
    """Return the evaluation file and the training file among the file and its partner."""
    evaluates = is_evaluation(scene.file, partner, scene.choices)
    return (scene.file, partner) if evaluates else (partner, scene.file)


def leakage_of(scene: Scene) -> Leakage | None:
    """Return the leakage between the file and its partner; None without one, or where the work was stopped."""
    if scene.partner is None:
        return None
    evaluation, train = as_pair(scene, scene.partner)
    return data_results.leakage(evaluation, train, scene.scan.rows if train is scene.file else 0)


def _cut(scene: Scene) -> str:
    if not (scene.is_small or data_results.knows_lengths(scene)):
        return ""
    found = data_results.lengths(scene)
    if found is None or not len(found.totals):
        return ""
    share = found.cut(scene.max_length).share or 0.0
    return f"{percent_text(share)} cut off at {scene.max_length:,} tokens"


def _leaked(scene: Scene) -> str:
    partner = scene.partner
    if partner is None:
        return ""
    try:
        evaluation, train = as_pair(scene, partner)
        is_there = data_results.knows_leakage(evaluation, train)
        small = scene.is_small and partner.path.stat().st_size <= 2 * scene.scan.n_bytes + (1 << 20)
        if not (is_there or small):
            return ""
        found = leakage_of(scene)
    except (InputError, OSError):
        return ""  # the other file cannot be read: its own page says why
    if found is None:
        return ""
    count = sum(found.counts.values())
    if evaluation is scene.file:
        return f"{count:,} leaked into {partner.name}"
    return f"{count:,} of {counted(found.evaluation_rows, 'row')} of {partner.name} leaked into it"
