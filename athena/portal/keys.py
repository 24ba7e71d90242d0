"""Keys that do something, as their help lists them. Every view answers to its own keys; this only tells of them."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import DatasetType, Element, ElementKind
from athena.portal.place import RUN_TABS, Place


@dataclass(frozen=True)
class KeyGroup:
    """Keys of one view.

    Parameters
    ----------
    keys : pairs of keys, several ways with spaces between them, and what they do.
    """

    name: str
    label: str
    keys: tuple[tuple[str, str], ...]


EVERYWHERE = "everywhere"
GROUPS = (
    KeyGroup(
        EVERYWHERE,
        "Everywhere",
        (
            ("/", "Search"),
            ("f", "Filter of what is shown"),
            ("?", "This help"),
            ("Tab", "To the next control"),
            ("Esc", "Close what lies over the page"),
        ),
    ),
    KeyGroup(
        "gallery",
        "Gallery of a run",
        (
            ("↑ ↓ ← →", "Mark another micrograph"),
            ("PgUp PgDn", "A page up or down"),
            ("Home End", "To the first or the last"),
            ("Enter", "Open the marked one"),
            ("c", "Accept it; once more takes that back"),
            ("x", "Reject it; once more takes that back"),
        ),
    ),
    KeyGroup("micrograph", "Micrograph", (("← ,", "Previous within the filter"), ("→ .", "Next within the filter"))),
    KeyGroup(
        "viewer",
        "Image, with the focus in it",
        (
            ("↑ ↓ ← →", "Pan; W A S D too"),
            ("+ −", "Zoom in and out"),
            ("0", "Whole image"),
            ("r", "Turn by 90°; Shift turns back"),
            ("f", "Flip"),
            ("m", "Measure a length"),
            ("Esc", "End measuring or full screen"),
        ),
    ),
    KeyGroup(
        "volume",
        "Volume in 3D, with the focus in it",
        (
            ("↑ ↓ ← →", "In space: turn it. In a plane: move the crosshair; Shift by ten"),
            ("+ −", "Zoom in and out"),
            ("Home", "In space: as it was. In a plane: the first section"),
            ("End", "In a plane: the last section"),
            ("0", "As it was"),
            ("PgUp PgDn", "In a plane: another section"),
            ("Space", "In a plane: play through its sections, and stop"),
            ("[ ]", "Thinner and thicker slab"),
        ),
    ),
    KeyGroup("list", "Lists of elements", (("Shift + click", "Select a range"), ("Esc", "Select none"))),
)


def key_groups() -> list[dict[str, Any]]:
    """All groups, for the component."""
    return [{"name": group.name, "label": group.label, "keys": [list(pair) for pair in group.keys]} for group in GROUPS]


def scope_of(place: Place, element: Element | None) -> list[str]:
    """Names of the groups whose keys work in a place, besides those of everywhere."""
    if place.index is not None:
        return ["micrograph", "viewer"]
    if place.option("view") == "3d" or place.option("stack"):
        return ["volume"]
    if element is None:
        return [] if place.page else ["list"]
    if element.kind is ElementKind.DATASET and element.type != DatasetType.FREE.value:
        return ["gallery"] if place.tab in ("", RUN_TABS[0]) else []
    return ["list"]
