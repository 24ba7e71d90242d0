"""Atoms of a molecule: positions and how strongly they scatter electrons."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from athena.errors import BadFile

APOFERRITIN = Path(__file__).parent / "structures" / "apoferritin.cif.gz"
"""The shipped molecule: horse spleen apoferritin (PDB 4V1W), one chain and 24 operators."""

_HYDROGEN = {"C": 1.1, "N": 1.2, "O": 0.4, "S": 0.2}
# mean number of hydrogens bonded to a heavy atom of a protein; deposited models leave them out


@dataclass(frozen=True)
class Molecule:
    """Heavy atoms of one molecule.

    Attributes
    ----------
    name : entry name of the model.
    positions : (n, 3) float32, Å, centred on the mean.
    strength : (n,) float32, electron scattering factor at zero angle (hydrogens counted in), Å.
    """

    name: str
    positions: NDArray[np.float32]
    strength: NDArray[np.float32]

    @property
    def diameter_angstrom(self) -> float:
        """Twice the largest distance from the centre, Å."""
        return 2.0 * float(np.sqrt((self.positions**2).sum(axis=1).max()))


@lru_cache(maxsize=4)
def load_molecule(path: Path = APOFERRITIN) -> Molecule:
    """Read a PDB or mmCIF file (gzipped or not) and build its first biological assembly.

    Waters and hydrogens are left out; hydrogens are counted into the strength of the atoms that bear them.

    Raises
    ------
    BadFile : the file cannot be read, or has no atoms.
    """
    try:
        structure = gemmi.read_structure(str(path))
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise BadFile(f"{path} cannot be read as a structure: {error}", hint="Give a PDB or mmCIF file.") from error
    if len(structure) == 0:
        raise BadFile(f"{path} holds no model.", hint="Give a PDB or mmCIF file with coordinates.")
    structure.setup_entities()
    if structure.assemblies:
        structure.transform_to_assembly(structure.assemblies[0].name, gemmi.HowToNameCopiedChain.Short)
    structure.remove_waters()
    structure.remove_hydrogens()
    atoms = [site.atom for site in structure[0].all()]
    if not atoms:
        raise BadFile(f"{path} holds no atoms.", hint="Give a PDB or mmCIF file with coordinates.")
    positions = np.array([atom.pos.tolist() for atom in atoms], dtype=np.float64)
    strength = np.array([_strength(atom.element.name) * atom.occ for atom in atoms], dtype=np.float32)
    return Molecule(structure.name, (positions - positions.mean(axis=0)).astype(np.float32), strength)


@lru_cache(maxsize=128)
def _strength(element: str) -> float:
    """Scattering factor at zero angle, Å. Source: International Tables C (2011), table 4.3.2.2."""
    heavy = float(gemmi.Element(element).c4322.calculate_sf(0.0))
    return heavy + _HYDROGEN.get(element, 0.0) * float(gemmi.Element("H").c4322.calculate_sf(0.0))


def carbon_form_factor(frequency: NDArray[np.float32]) -> NDArray[np.float32]:
    """Electron scattering factor of carbon over its value at 0, at frequencies in Å⁻¹.

    All atoms of a protein take this shape: the light elements differ by a few per cent within 3 Å.
    """
    shape = gemmi.Element("C").c4322
    grid = np.linspace(0.0, max(float(frequency.max()), 1e-3), 1024)
    # gemmi wants (sin θ / λ)², that is (k / 2)²
    values = np.array([shape.calculate_sf(float(k * k / 4)) for k in grid]) / shape.calculate_sf(0.0)
    return np.interp(frequency, grid, values).astype(np.float32)
