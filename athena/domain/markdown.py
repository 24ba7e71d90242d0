"""Notes as HTML that can do nothing but be read (WS-17). Pure."""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def to_html(text: str) -> str:
    """Markdown as HTML: raw HTML is shown as text, links lead to http and https alone, pictures are not loaded."""
    return str(_renderer().render(text))


@cache
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # costs 40 ms, and few need it

    made = MarkdownIt("commonmark", {"html": False, "linkify": False})
    made.enable(["table", "strikethrough"]).disable(["image", "html_inline", "html_block"])
    made.validateLink = _leads_to_the_web  # type: ignore[method-assign]
    made.add_render_rule("link_open", _open_link)
    return made


def _leads_to_the_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _open_link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))
