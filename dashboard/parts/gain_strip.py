"""A text, the reference or an answer, coloured by where a variant finds it likelier or less likely than another variant does."""

from __future__ import annotations

from typing import Any

from streamlit.components.v2 import component

from core.charts.theme import PALETTES, Mode
from core.gains import GainStrip
from core.notation import decimals, number_text
from dashboard.parts.word_diff import EXACT_CSS, EXACT_JS, sendable


def draw_gain_strip(
    strip: GainStrip, scale: float, variant: str, reference: str, mode: Mode, key: str, subject: str = "Reference"
) -> None:
    """Draw the strip: blue where the variant finds the text likelier, orange where less; numbers on hover.

    Args:
        strip: what to draw.
        scale: the |nats| at which a colour is full, the same for all strips that stand beside each other.
        variant: whose gain it is.
        reference: against whom.
        mode: light or dark.
        key: of the element.
        subject: whose text it is, as the caption begins.
    """
    colours = PALETTES[mode]
    pieces = [
        [sendable(gain.text), gain.nats, gain.reference_logprob, gain.variant_logprob, gain.n_tokens]
        for gain in strip.gains
    ]
    total = number_text(strip.total, decimals([strip.total], "nats"), signed=True)
    end = number_text(scale, 1)
    name = f"gain of {variant}" if subject == "Reference" else f"gain of {variant} on {subject}"
    _gain_strip(
        data={
            "pieces": pieces, "scale": scale, "variant": variant, "reference": reference,
            "better": colours.better, "worse": colours.worse, "name": name,
            "caption": f"{subject} {total} nats against {reference}", "low": f"\u2212{end}", "high": f"+{end} nats",
        },
        key=key,
    )  # fmt: skip


_CSS = (
    EXACT_CSS
    + """
.frame { font-family: var(--st-font); color: var(--st-text-color); position: relative; }
.text { font-size: .8125rem; line-height: 1.75; max-height: 12rem; overflow: auto; }
.piece { border-radius: .2em; padding: .12em 0; }
.piece:hover { outline: 1.5px solid var(--st-text-color); }
.end { display: inline-block; font-size: .68rem; padding: 0 .35em; margin-left: .3em; line-height: 1.5;
  border: 1px dashed var(--st-border-color); }
.end::before { content: "end of turn"; }
.caption { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: center; font-size: .75rem; margin-bottom: .3rem; }
.caption .rest { opacity: .72; white-space: nowrap; display: inline-flex; align-items: center; gap: .3rem; }
.ramp { width: 4.5rem; height: .55rem; border-radius: .2rem; display: inline-block;
  background: linear-gradient(90deg, var(--worse), transparent 50%, var(--better)); }
.tip { position: fixed; z-index: 10; pointer-events: none; font-size: .75rem; line-height: 1.45; padding: .35rem .55rem;
  border-radius: .4rem; background: var(--st-background-color); border: 1px solid var(--st-border-color);
  box-shadow: 0 2px 10px rgba(0, 0, 0, .18); white-space: pre; }
"""
)

_JS = (
    EXACT_JS
    + """
const nats = (x, signed) => (x < 0 ? "\\u2212" : signed ? "+" : "") + Math.abs(x).toFixed(2);
export default function ({ data, parentElement }) {
  const frame = parentElement.querySelector(".frame");
  const text = frame.querySelector(".text");
  const tip = frame.querySelector(".tip");
  frame.style.setProperty("--better", data.better);
  frame.style.setProperty("--worse", data.worse);
  frame.querySelector(".total").textContent = data.caption;
  frame.querySelector(".low").textContent = data.low;
  frame.querySelector(".high").textContent = data.high;
  text.setAttribute("aria-label", data.name);
  text.dataset.name = data.name;
  text.replaceChildren();
  for (const [piece, gain, reference, variant, tokens] of data.pieces) {
    const span = document.createElement("span");
    span.className = piece === "" ? "piece end" : "piece";
    const strength = Math.round(Math.min(1, Math.abs(gain) / data.scale) * 70);
    span.style.background = `color-mix(in srgb, ${gain > 0 ? data.better : data.worse} ${strength}%, transparent)`;
    span.dataset.nats = gain.toFixed(4);
    appendExact(span, piece);
    const lines = [`${nats(gain, true)} nats`, `${data.variant}: ${nats(variant)}`, `${data.reference}: ${nats(reference)}`];
    if (tokens > 1) lines.push(`${tokens} tokens`);
    span.onmouseenter = (event) => {
      tip.textContent = lines.join("\\n");
      tip.hidden = false;
      const box = span.getClientRects()[0];
      tip.style.left = Math.min(box.left, window.innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = box.top - tip.offsetHeight - 6 + "px";
    };
    span.onmouseleave = () => { tip.hidden = true; };
    text.append(span);
  }
}
"""
)

_HTML = """
<div class="frame"><div class="caption"><span class="total"></span><span class="rest"><span class="low"></span>
<span class="ramp" title="orange: less likely, blue: likelier"></span><span class="high"></span></span></div>
<div class="text"></div><div class="tip" hidden></div></div>
"""

_gain_strip: Any = component("lorascope_gain_strip", html=_HTML, css=_CSS, js=_JS)
