"""Reduce a symmetric deposited model to one chain and the operators that rebuild it.

The shipped ``apoferritin.cif.gz`` was made with::

    python -m athena_pipelines.simulate.structures.reduce 4v1w.cif.gz apoferritin.cif.gz

Source: PDB 4V1W (Russo & Passmore 2014, Science 346:1377), CC0. The 24 chains are equal within 0.17 Å.
"""

import gzip
import sys
from pathlib import Path

import gemmi


def reduce_to_one_chain(source: Path, target: Path) -> None:
    """Write the first chain of ``source`` with an assembly "1" of the operators onto all chains of its length."""
    structure = gemmi.read_structure(str(source))
    structure.setup_entities()
    structure.remove_ligands_and_waters()
    model = structure[0]
    first = [atom.pos for residue in model[0] for atom in residue]
    generator = gemmi.Assembly.Gen()
    generator.chains = [model[0].name]
    generator.subchains = [model[0][0].subchain]
    for number, chain in enumerate(model, start=1):
        positions = [atom.pos for residue in chain for atom in residue]
        if len(positions) != len(first):
            raise ValueError(f"chain {chain.name} has {len(positions)} atoms, the first has {len(first)}")
        operator = gemmi.Assembly.Operator()
        operator.name = str(number)
        operator.transform = gemmi.superpose_positions(positions, first).transform
        generator.operators.append(operator)
    assembly = gemmi.Assembly("1")
    assembly.generators.append(generator)
    structure.assemblies = gemmi.AssemblyList([assembly])
    for chain_name in [chain.name for chain in model][1:]:
        model.remove_chain(chain_name)
    structure.remove_empty_chains()
    structure.setup_entities()
    groups = gemmi.MmcifOutputGroups(False)
    groups.block_name = groups.entry = groups.cell = groups.symmetry = groups.atoms = groups.assembly = True
    document = structure.make_mmcif_document(groups)
    # mtime 0: the same input gives the same bytes
    with target.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed:
        packed.write(document.as_string().encode())


if __name__ == "__main__":
    reduce_to_one_chain(Path(sys.argv[1]), Path(sys.argv[2]))
