"""The user guide without a browser: complete, linked, searchable."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from athena.errors import NotFound
from athena.portal import guide
from athena.portal.place import Place

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_guide_holds_every_page_of_the_documentation_in_its_order() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    named = re.findall(r"([\w/-]+)\.md", text[text.index("nav:") :])
    assert list(guide.PAGES) == [name for name in named if name != "index"]


class Leads(HTMLParser):
    """Gathers what a page links to and which pictures it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "img":
            self.pictures.append(str(given["src"]))


@pytest.mark.parametrize("page", guide.pages(), ids=lambda page: page.name)
def test_links_and_pictures_of_a_page_are_there(page: guide.Page) -> None:
    found = Leads()
    found.feed(page.html)
    for link in found.links:
        if link.startswith("?"):
            place = Place.parse(link)
            target = guide.page(place.option("page"))
            anchor = place.option("at")
            assert not anchor or anchor in [section.anchor for section in target.sections], link
        else:
            assert link.startswith(("http://", "https://")), link
    for picture in found.pictures:
        assert (guide.folder() / "images" / picture.removeprefix("guide/")).is_file(), picture


def test_a_search_finds_sections_with_all_words_the_best_first() -> None:
    hits = guide.search("cleanup")
    assert "leanup" in f"{hits[0][0].heading} {hits[0][0].page_title}"
    both = guide.search("cleanup live")
    assert 0 < len(both) < len(hits)
    assert all("leanup" in f"{one.heading} {one.page_title} {one.text}" for one, _ in both)
    assert guide.search("xyzzy") == guide.search("…") == []


def test_a_page_that_is_not_there_says_so() -> None:
    with pytest.raises(NotFound, match="no page"):
        guide.page("../../pyproject")


def test_what_is_no_part_of_the_guide_is_named_and_not_linked() -> None:
    shown = guide._rendered("guide/x", "# X\n\n[Source](../../athena/errors.py) and [more](judging.md#why) <b>\n")
    assert "errors.py" not in shown.html
    assert "page=guide%2Fjudging&amp;at=why" in shown.html
    assert "&lt;b&gt;" in shown.html
