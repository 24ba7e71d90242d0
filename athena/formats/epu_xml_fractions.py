"""``…_Fractions.xml``: what a Falcon 3 says of the movie it wrote."""

from dataclasses import dataclass
from pathlib import Path

from athena.formats.epu_xml import local_name, read_epu_xml


@dataclass(frozen=True)
class FractionsRecord:
    """Attributes
    ----------
    recorded, expected : number of fractions; fewer recorded than expected is a movie cut short.
    """

    recorded: int | None
    expected: int | None
    listed: int
    detector: str
    electron_counting: bool | None
    gain_corrected: bool | None
    counts_to_electrons: float | None


def read_fractions(path: Path) -> FractionsRecord:
    """Read the fractions file.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "Acquisition")
    listing = xml.find("Fractions")
    fractions = [] if listing is None else [e for e in xml.children(listing) if local_name(e) == "Fraction"]
    return FractionsRecord(
        recorded=xml.integer("Info/RecordedNumberOfFractions"),
        expected=xml.integer("Info/ExpectedNumberOfFractions"),
        listed=len(fractions),
        detector=xml.text("Info/Detector"),
        electron_counting=xml.flag("Info/ElectronCounting"),
        gain_corrected=xml.flag("Info/GainCorrection"),
        counts_to_electrons=xml.number("CountsToElectrons", start=fractions[0]) if fractions else None,
    )
