"""One row as the model will see it: its tokens, special ones as marks, with the loss mask coloured and the cut drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamlit.components.v2 import component

from core.charts.theme import PALETTES, Mode
from core.data.profile.mask import MaskedToken
from dashboard.parts.word_diff import EXACT_CSS, EXACT_JS, sendable


def token_strip(
    tokens: Sequence[MaskedToken], trained: Sequence[bool] | None, cut: int | None, mode: Mode, key: str
) -> None:
    """Draw the tokens; what stands on hover is the token's id, whose words it belongs to, and whether it is trained on.

    Args:
        tokens: of one row.
        trained: one a token; None draws no mask.
        cut: place of the first token that is cut off; None where all fit.
        mode: light or dark.
        key: of the element.
    """
    roles = list(dict.fromkeys(token.role or "template" for token in tokens))
    numbered = {role: number for number, role in enumerate(roles)}
    pieces = [
        [sendable(token.text), token.id, numbered[token.role or "template"], int(token.special)] for token in tokens
    ]  # fmt: skip
    colours = PALETTES[mode]
    mask = None if trained is None else "".join("1" if one else "0" for one in trained)
    _token_strip(
        data={"pieces": pieces, "roles": roles, "mask": mask, "cut": cut, "trained": colours.better, "lost": colours.worse},
        key=key,
    )  # fmt: skip


_CSS = (
    EXACT_CSS
    + """
.frame { font-family: var(--st-font); color: var(--st-text-color); position: relative; }
.text { font-size: .86rem; line-height: 1.95; max-height: 62vh; overflow: auto; border: 1px solid var(--st-border-color);
  border-radius: .4rem; padding: .5rem .7rem; }
.token { padding: .14em 0; border-bottom: 2px solid transparent; }
.token.odd { background: color-mix(in srgb, var(--st-text-color) 5%, transparent); }
.token.trained { background: color-mix(in srgb, var(--trained) 20%, transparent); border-bottom-color: var(--trained); }
.token.trained.odd { background: color-mix(in srgb, var(--trained) 30%, transparent); }
.masked .token:not(.trained) { opacity: .72; }
.token.special { font-family: var(--st-code-font); font-size: .78em; padding: .14em .3em; border-radius: .25em; margin: 0 .08em;
  border: 1px solid color-mix(in srgb, var(--st-text-color) 35%, transparent); }
.token.cut { opacity: .45; text-decoration: line-through; text-decoration-color: var(--lost); }
.token:hover { outline: 1.5px solid var(--st-text-color); }
.token.piece::after { content: "\\25AB"; opacity: .5; }
.line-end { opacity: .45; font-size: .8em; }
.edge { display: block; border-top: 2px dashed var(--lost); color: var(--lost); font-size: .75rem; line-height: 1.4;
  margin: .35rem 0; font-weight: 600; }
.tip { position: fixed; z-index: 10; pointer-events: none; font-size: .75rem; line-height: 1.45; padding: .35rem .55rem;
  border-radius: .4rem; background: var(--st-background-color); border: 1px solid var(--st-border-color);
  box-shadow: 0 2px 10px rgba(0, 0, 0, .18); white-space: pre; }
"""
)

_JS = (
    EXACT_JS
    + """
export default function ({ data, parentElement }) {
  const frame = parentElement.querySelector(".frame");
  const text = frame.querySelector(".text");
  const tip = frame.querySelector(".tip");
  frame.style.setProperty("--trained", data.trained);
  frame.style.setProperty("--lost", data.lost);
  frame.classList.toggle("masked", data.mask !== null);
  const pieces = document.createDocumentFragment();
  data.pieces.forEach(([piece, id, role, special], place) => {
    if (place === data.cut) {
      const edge = pieces.appendChild(document.createElement("span"));
      edge.className = "edge";
      edge.dataset.label = edge.textContent = `max_length ${data.cut.toLocaleString("en")}: what follows is cut off`;
    }
    const isTrained = data.mask !== null && data.mask[place] === "1";
    const token = pieces.appendChild(document.createElement("span"));
    token.className = "token" + (place % 2 ? " odd" : "") + (special ? " special" : "") + (isTrained ? " trained" : "")
      + (data.cut !== null && place >= data.cut ? " cut" : "") + (piece === "" ? " piece" : "");
    token.dataset.at = place;
    piece.split("\\n").forEach((line, number) => {
      if (number) {
        const end = token.appendChild(document.createElement("span"));
        end.className = "line-end";
        end.textContent = "\\u21b5";
        end.ariaHidden = "true";
        token.append(document.createTextNode("\\n"));
      }
      if (line) appendExact(token, line);
    });
  });
  text.replaceChildren(pieces);
  text.onmouseover = (event) => {
    const token = event.target.closest(".token");
    tip.hidden = !token;
    if (!token) return;
    const at = Number(token.dataset.at);
    const [piece, id, role] = data.pieces[at];
    const lines = [`token ${at + 1} of ${data.pieces.length}, id ${id}`, `${data.roles[role]}`];
    const isCut = data.cut !== null && at >= data.cut;
    if (data.mask !== null) lines.push(isCut ? "cut off" : data.mask[at] === "1" ? "trained on" : "not trained on");
    if (piece === "") lines.push("a part of the character before it");
    tip.textContent = lines.join("\\n");
    const box = token.getClientRects()[0];
    tip.style.left = Math.min(box.left, window.innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = box.top - tip.offsetHeight - 6 + "px";
  };
  text.onmouseleave = () => { tip.hidden = true; };
}
"""
)

_token_strip: Any = component(
    "lorascope_token_strip",
    html='<div class="frame"><div class="text" tabindex="0" role="group" aria-label="the row as tokens"></div>\n'
    '<div class="tip" hidden></div></div>',
    css=_CSS,
    js=_JS,
)
