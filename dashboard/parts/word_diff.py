"""Model output shown exactly as it is, with the words marked in which it differs from another text.

Text goes to the browser as data and into the page as text nodes: no Markdown, LaTeX, HTML or emoji code in it means
anything. Characters that cannot be seen (zero width, direction marks, control characters) get a small label that is not
part of the text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from streamlit.components.v2 import component

Kind = Literal["same", "ins", "del"]
COMPARED_AT_MOST = 4_000_000
"""Product of the two word counts up to which texts are compared word by word; difflib's time grows with it."""
DRAWN_AT_ONCE = 20_000
"""Characters drawn before the reader asks for all of a text."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]\s*|[^\s{_CJK}]+\s*|\s+")
"""Words with the space behind them; characters of scripts that write no spaces one by one."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Piece:
    """A stretch of text: in both, only in this one (``ins``), or only in the other (``del``)."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Diff:
    """A text against another one. The ``same`` and ``ins`` pieces joined are the text itself."""

    pieces: tuple[Piece, ...]
    complete: bool = True
    """False if the texts were too long: then all between their common beginning and end counts as different."""


def word_diff(text: str, other: str) -> Diff:
    """Return ``text`` in pieces, compared word by word with ``other``."""
    ours, theirs = _WORD.findall(text), _WORD.findall(other)
    start = _common(ours, theirs)
    end = _common(ours[start:][::-1], theirs[start:][::-1])
    mine, its = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    complete = len(mine) * len(its) <= COMPARED_AT_MOST
    pieces = [Piece("same", "".join(ours[:start]))]
    if complete:
        for code, i, j, k, m in difflib.SequenceMatcher(None, its, mine, autojunk=False).get_opcodes():
            pieces.append(Piece("same", "".join(mine[k:m])) if code == "equal" else Piece("del", "".join(its[i:j])))
            if code != "equal":
                pieces.append(Piece("ins", "".join(mine[k:m])))
    else:
        pieces += [Piece("del", "".join(its)), Piece("ins", "".join(mine))]
    pieces.append(Piece("same", "".join(ours[len(ours) - end :])))
    return Diff(tuple(piece for piece in pieces if piece.text), complete)


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many words two texts have in common from their beginning."""
    count = 0
    for ours, theirs in zip(left, right, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def exact_text(
    pieces: Sequence[Piece] | str, key: str, *, name: str, accent: str = "", dropped: bool = False, tall: bool = False
) -> None:
    """Draw a text exactly as it is.

    Args:
        pieces: the text, or its pieces.
        key: of the element, unique on the page.
        name: what it is, for screen readers and tests.
        accent: the colour of marked words.
        dropped: whether ``del`` pieces, which are not part of the text, are drawn too.
        tall: whether it may take half of the screen before it scrolls.
    """
    listed = [Piece("same", pieces)] if isinstance(pieces, str) else pieces
    shown = [[piece.kind, sendable(piece.text)] for piece in listed if dropped or piece.kind != "del"]
    _exact_text(
        data={"pieces": shown, "name": name, "accent": accent, "atOnce": DRAWN_AT_ONCE, "tall": tall}, key=key
    )  # fmt: skip


def sendable(text: str) -> str:
    """Return text that can be encoded: a lone surrogate, which has no UTF-8 form, becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


EXACT_CSS = """
.text { white-space: pre-wrap; overflow-wrap: anywhere; word-break: normal; tab-size: 4; unicode-bidi: plaintext;
  text-align: start; }
.unseen { display: inline-block; unicode-bidi: isolate; }
.unseen::before { content: attr(data-label); font: 600 0.62em/1 var(--st-font); letter-spacing: .02em; padding: 0 .25em;
  margin: 0 .1em; border-radius: .25em; color: var(--st-text-color); vertical-align: .15em;
  background: color-mix(in srgb, var(--st-text-color) 16%, transparent); }
"""
"""Labels come from a pseudo-element, so that copying and reading the text gives the text alone."""

EXACT_JS = r"""
const NAMES = {0x00: "NUL", 0x08: "BS", 0x0b: "VT", 0x0c: "FF", 0x0d: "CR", 0x1b: "ESC", 0x7f: "DEL", 0xa0: "NBSP",
  0xad: "SHY", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM", 0x2028: "LS", 0x2029: "PS",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI",
  0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM"};
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const EMOJI = /\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}]/u;
function appendExact(parent, text) {
  let last = 0, drawn = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (++drawn > 2000) break;
    const at = match.index, code = text.charCodeAt(at);
    // A joiner between two emoji makes one picture of them: taking it apart would change what is seen.
    if (code === 0x200d && EMOJI.test(text.slice(Math.max(0, at - 2), at)) && EMOJI.test(text.slice(at + 1, at + 3))) continue;
    if (at > last) parent.append(document.createTextNode(text.slice(last, at)));
    const mark = document.createElement("span");
    mark.className = "unseen";
    mark.dataset.label = NAMES[code] ?? "U+" + code.toString(16).toUpperCase().padStart(4, "0");
    mark.append(document.createTextNode(match[0]));
    parent.append(mark);
    last = at + 1;
  }
  parent.append(document.createTextNode(text.slice(last)));
}
"""
"""``appendExact(parent, text)``: put a text into the page so that ``textContent`` is the text, to the last character."""

_CSS = (
    EXACT_CSS
    + """
.frame { font-family: var(--st-font); font-size: 0.875rem; line-height: 1.5; color: var(--st-text-color); }
.text { max-height: 15rem; overflow: auto; contain: content; }
.tall .text { max-height: 50vh; }
.text:empty::before { content: "(empty)"; opacity: .6; font-style: italic; }
ins { text-decoration: none; border-radius: .2em; background: color-mix(in srgb, var(--accent) 22%, transparent);
  box-shadow: inset 0 -2px var(--accent); -webkit-box-decoration-break: clone; box-decoration-break: clone; }
del { opacity: .55; text-decoration: line-through; }
button { font: inherit; font-size: .8rem; margin-top: .4rem; padding: .15rem .6rem; cursor: pointer; color: inherit;
  background: transparent; border: 1px solid var(--st-border-color); border-radius: .4rem; }
"""
)

_JS = (
    EXACT_JS
    + """
export default function ({ data, parentElement }) {
  const frame = parentElement.querySelector(".frame");
  const text = frame.querySelector(".text");
  const more = frame.querySelector("button");
  frame.classList.toggle("tall", data.tall);
  frame.style.setProperty("--accent", data.accent || "currentColor");
  text.setAttribute("aria-label", data.name);
  text.dataset.name = data.name;
  const length = data.pieces.reduce((sum, piece) => sum + piece[1].length, 0);
  const draw = (limit) => {
    text.replaceChildren();
    let left = limit;
    for (const [kind, piece] of data.pieces) {
      if (left <= 0) break;
      const place = kind === "same" ? text : text.appendChild(document.createElement(kind));
      // A pair of surrogates must not be cut in two.
      const cut = /[\\ud800-\\udbff]/.test(piece[left - 1] ?? "") ? left - 1 : left;
      appendExact(place, piece.slice(0, cut));
      left -= piece.length;
    }
    more.hidden = length <= limit;
  };
  more.textContent = `Show all ${length.toLocaleString("en")} characters`;
  more.onclick = () => draw(Infinity);
  draw(data.atOnce);
}
"""
)

_exact_text: Any = component(
    "lorascope_exact_text",
    html='<div class="frame"><div class="text" tabindex="0" role="group"></div>\n<button type="button" hidden></button></div>',
    css=_CSS,
    js=_JS,
)
