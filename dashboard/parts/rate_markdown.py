"""Markdown made into HTML that can run nothing and fetch nothing: for guidelines, and for outputs where a rater asks for it.

HTML in the text is shown as text; an image becomes its description, and a link its words and its address. The form's
script copies the elements named in `TAGS` into the page, without any attribute, and of others their text alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

TAGS = (
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td",
)  # fmt: skip
"""All that the HTML of `markdown_html` consists of."""


def markdown_html(text: str) -> str:
    """Return a text's Markdown (CommonMark with tables and strike-through) as HTML made of `TAGS` alone."""
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Plain)
    return parser.enable(["table", "strikethrough"]).render(text)


class _Plain(RendererHTML):
    """Draws links and images as text."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: object, env: object) -> str:
        return ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: object, env: object) -> str:
        opening = _opening(tokens, idx)
        address = str(opening.attrGet("href") or "")
        words = "".join(token.content for token in tokens[tokens.index(opening) + 1 : idx])
        return "" if not address or address == words else self._text(f" ({address})")

    def image(self, tokens: Sequence[Token], idx: int, options: object, env: object) -> str:
        token = tokens[idx]
        return self._text(f"[image: {token.content}] ({token.attrGet('src')})")

    def _text(self, text: str) -> str:
        token = Token("text", "", 0, content=text)
        return self.text([token], 0, {}, {})  # pyright: ignore[reportArgumentType]


def _opening(tokens: Sequence[Token], closing: int) -> Token:
    """Return the beginning of the link that ends at a place; links do not nest."""
    return next(token for token in reversed(tokens[:closing]) if token.type == "link_open")
