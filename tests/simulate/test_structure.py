"""Atoms come from any PDB or mmCIF file; the shipped molecule is whole; bad files are refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from athena.errors import BadFile
from athena_pipelines.simulate.structure import carbon_form_factor, load_molecule
from athena_pipelines.simulate.structures.reduce import reduce_to_one_chain

pytestmark = pytest.mark.feature("AC-05")

PDB = """\
ATOM      1  N   ALA A   1       0.000   0.000   0.000  1.00  0.00           N
ATOM      2  CA  ALA A   1       1.458   0.000   0.000  1.00  0.00           C
ATOM      3  HA  ALA A   1       1.800   1.000   0.000  1.00  0.00           H
HETATM    4  O   HOH A   2       9.000   9.000   9.000  1.00  0.00           O
{second}END
"""
SECOND = """\
ATOM      5  N   ALA B   1       0.000   0.000  10.000  1.00  0.00           N
ATOM      6  CA  ALA B   1       0.000   1.458  10.000  1.00  0.00           C
ATOM      7  C   ALA B   1       0.500   2.000  11.000  1.00  0.00           C
ATOM      8  O   ALA B   1       0.500   3.000  11.000  1.00  0.00           O
"""


def test_the_shipped_molecule_is_a_shell_of_24_chains() -> None:
    molecule = load_molecule()
    assert molecule.name == "4V1W"
    assert len(molecule.positions) == 24 * 1364
    distance = np.linalg.norm(molecule.positions, axis=1)
    # outer and inner radius of apoferritin, about 60 and 40 Å
    assert 58 < np.percentile(distance, 99) < 68
    assert 35 < np.percentile(distance, 1) < 42
    assert 115 < molecule.diameter_angstrom < 140
    # a mean atom of protein with its hydrogens
    assert 2.6 < molecule.strength.mean() < 3.1


def test_a_pdb_file_is_read_without_water_and_hydrogen(tmp_path: Path) -> None:
    path = tmp_path / "two.pdb.gz"
    path.write_bytes(gzip.compress(PDB.format(second="").encode()))
    molecule = load_molecule(path)
    assert molecule.positions == pytest.approx(np.array([[-0.729, 0, 0], [0.729, 0, 0]]), abs=1e-3)


@pytest.mark.parametrize("text", ["", "this is no structure\n", "data_x\n_cell.length_a 1\n"])
def test_files_without_atoms_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.cif"
    path.write_text(text)
    with pytest.raises(BadFile, match=r"bad\.cif") as refusal:
        load_molecule(path)
    assert "PDB or mmCIF" in refusal.value.hint


def test_form_factor_falls_with_frequency() -> None:
    values = carbon_form_factor(np.float32([0.0, 0.1, 0.3, 0.5]))
    assert values[0] == 1
    assert np.all(np.diff(values) < 0)


def test_chains_of_different_length_cannot_be_reduced(tmp_path: Path) -> None:
    path = tmp_path / "two.pdb"
    path.write_text(PDB.format(second=SECOND))
    with pytest.raises(ValueError, match="chain B has"):
        reduce_to_one_chain(path, tmp_path / "out.cif.gz")


def test_a_reduced_structure_is_built_again(tmp_path: Path) -> None:
    first = [(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (1.5, 1.5, 0.0), (0.0, 1.5, 1.5)]
    lines = []
    for chain, offset in (("A", 0.0), ("B", 20.0)):
        for number, (x, y, z) in enumerate(first, start=1):
            place = f"{x:8.3f}{y + offset:8.3f}{z:8.3f}"
            lines.append(f"ATOM  {number:5d}  CA  ALA {chain}{number:4d}    {place}  1.00  0.00           C")
    source = tmp_path / "pair.pdb"
    source.write_text("\n".join([*lines, "END", ""]))
    reduce_to_one_chain(source, tmp_path / "reduced.cif.gz")
    whole, rebuilt = load_molecule(source), load_molecule(tmp_path / "reduced.cif.gz")
    assert rebuilt.positions == pytest.approx(whole.positions, abs=1e-2)
