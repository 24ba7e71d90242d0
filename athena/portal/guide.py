"""The user guide: the project's own documentation, rendered and searched without a network (offline).

Pages are Markdown files. In an installed package they lie beside this module, in a checkout in ``docs``.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from athena.errors import NotFound
from athena.portal.place import Place

PAGES = (
    "guide/first-steps",
    "guide/sessions",
    "guide/judging",
    "guide/reprocessing",
    "guide/user-metrics",
    "guide/portal",
    "guide/notebooks",
    "guide/command-line",
    "guide/sharing",
    "guide/metadata-and-search",
    "guide/files-and-storages",
    "guide/jobs-and-export",
    "guide/hub",
    "guide/administration",
    "guide/operations",
    "architecture",
    "performance",
    "how-to-add-job",
    "how-to-add-template",
    "glossary",
)
"""Pages of the guide in reading order: files without ``.md``, as in the navigation of ``mkdocs.yml``."""
EXCERPT = 180
"""Characters of a section that a search shows."""
IN_HEADING = 10
"""How much more a word in a heading counts than one in the text."""


@dataclass(frozen=True)
class Section:
    """A heading and the text below it, up to the next heading."""

    page: str
    page_title: str
    anchor: str
    heading: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page of the guide."""

    name: str
    title: str
    html: str
    sections: tuple[Section, ...]


def folder() -> Path:
    """Where the documentation lies. Raises NotFound where it was not installed."""
    here = Path(__file__).resolve().parent
    for place in (here / "docs", here.parent.parent / "docs"):
        if (place / "guide").is_dir():
            return place
    raise NotFound("The user guide is not part of this installation.", hint="Install the package athena-cryoem anew.")


def page(name: str) -> Page:
    """A page by name. Raises NotFound."""
    for one in pages():
        if one.name == name:
            return one
    raise NotFound(f"The guide has no page “{name}”.", hint="Open the guide from the bar at the left.")


@cache
def pages() -> tuple[Page, ...]:
    """All pages in reading order, rendered once in a process."""
    where = folder()
    return tuple(_rendered(name, (where / f"{name}.md").read_text(encoding="utf-8")) for name in PAGES)


def search(text: str) -> list[tuple[Section, str]]:
    """Sections in which every word (or one that begins so) stands, the best first, each with what stands around it."""
    words = [word.casefold() for word in re.findall(r"\w+", text)]
    if not words:
        return []
    found: list[tuple[int, Section]] = []
    for section in (section for one in pages() for section in one.sections):
        counts = [_count(word, section) for word in words]
        if all(counts):
            found.append((sum(counts), section))
    found.sort(key=lambda pair: -pair[0])
    return [(section, _excerpt(section.text, words)) for _, section in found]


def _count(word: str, section: Section) -> int:
    begins = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)
    heading = f"{section.heading} {section.page_title}"
    return IN_HEADING * len(begins.findall(heading)) + len(begins.findall(section.text))


def _excerpt(text: str, words: Sequence[str]) -> str:
    """What stands around the first of the words."""
    found = re.search("|".join(rf"\b{re.escape(word)}" for word in words), text, re.IGNORECASE)
    begin = max(0, (found.start() if found else 0) - EXCERPT // 3)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    cut = text[begin : begin + EXCERPT]
    return f"{'… ' if begin else ''}{cut}{' …' if begin + EXCERPT < len(text) else ''}"


def _rendered(name: str, text: str) -> Page:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = made.parse(text)
    sections: list[Section] = []
    headings: list[tuple[str, str]] = []
    words: list[str] = []
    title = name

    def close() -> None:
        if headings:
            anchor, heading = headings[-1]
            sections.append(Section(name, title, anchor, heading, " ".join(words)))
        words.clear()

    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            close()
            heading = _plain(tokens[at + 1])
            if token.tag == "h1":
                title = heading
            headings.append((slug(heading), heading))
            token.attrSet("id", slug(heading))
        elif token.type == "inline":
            _lead(token, name)
            if tokens[at - 1].type != "heading_open":
                words.append(_plain(token))
        elif token.type == "fence":
            words.append(" ".join(token.content.split()))
    close()
    return Page(name, title, str(made.renderer.render(tokens, made.options, {})), tuple(sections))


def _plain(token: Token) -> str:
    """Text of an inline token without its marks."""
    return unescape(" ".join("".join(_words(child) for child in token.children or ()).split()))


def _words(token: Token) -> str:
    return " " if token.type in ("softbreak", "hardbreak") else "" if token.type == "image" else token.content


def _lead(token: Token, name: str) -> None:
    """Let links and pictures of a page lead to where they are in the portal."""
    for child in token.children or ():
        if child.type == "image":
            child.attrSet("src", f"guide/{Path(str(child.attrGet('src'))).name}")
            child.attrSet("loading", "lazy")
        elif child.type == "link_open":
            child.attrs = _link(str(child.attrGet("href")), name)


def _link(target: str, name: str) -> dict[str, Any]:
    parts = urlsplit(target)
    if parts.scheme in ("http", "https"):
        return {"href": target, "target": "_blank", "rel": "noopener noreferrer"}
    # normpath: "guide/../how-to" is "how-to", and what leads out of the documentation stays outside
    to = (
        posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path)).removesuffix(".md")
        if parts.path
        else name
    )
    if to not in PAGES:
        # what is only in the repository is named, not linked
        return {}
    return {"href": place_of(to, parts.fragment).search, "data-go": ""}


def place_of(name: str, anchor: str = "") -> Place:
    """Address of a page, or of a heading on it."""
    return Place(page="guide").having(page=name, at=anchor)


def slug(heading: str) -> str:
    """Name of a heading in addresses, as MkDocs makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
