"""Documentation people wrote, as HTML that can do nothing: no scripts, no styles, no htmx, no raw HTML."""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
# Nothing but these passes, which takes hx-* and data-hx-* out as well as on* and style.
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}

# Raw HTML reads as text, and the sanitiser looks at the outcome once more: two locks, since either had holes before.
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def render(text: str) -> Markup:
    """Return the text as safe HTML for a section of a page that has its own title.

    A leading title is left out, since the page says it already; the headings below it start at the second level.
    """
    tokens = _below_the_page(_markdown.parse(text))
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer")
    return Markup(_dressed(clean))  # noqa: S704 - sanitised above


def _below_the_page(tokens: Sequence[Token]) -> Sequence[Token]:
    kept = tokens[3:] if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1" else tokens
    for token in kept:
        if token.type in ("heading_open", "heading_close"):
            token.tag = {"h1": "h2", "h5": "h4", "h6": "h4"}.get(token.tag, token.tag)
    return kept


def _dressed(html: str) -> str:
    """Give blocks that may be wide our own frames. The sanitiser left both tags bare, so plain replacing finds them."""
    return (
        html.replace("<pre>", '<pre class="code" tabindex="0">')
        .replace(
            "<table>", '<div class="table-wrap" tabindex="0" role="region" aria-label="Table"><table class="table">'
        )
        .replace("</table>", "</table></div>")
    )
