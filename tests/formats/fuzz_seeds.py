"""Small whole files of every kind that Athena reads, for the fuzz to damage."""

import tarfile
from pathlib import Path

import numpy as np
import tifffile

from athena.formats.mrc import write_mrc
from athena_pipelines.simulate.eer import write_eer
from tests.formats.dm_files import dm_bytes

KINDS = ("tiff", "eer", "mrc", "xml", "mdoc", "defects", "dm")
DATA = Path("tests/data")
SHAPE = (4, 40, 52)
GAIN = np.random.default_rng(3).uniform(0.8, 1.2, SHAPE[1:]).astype(np.float32)

SQUARE = b"""<GridSquareXml xmlns="http://schemas.datacontract.org/2004/07/Applications.Epu.Persistence"
 xmlns:z="http://schemas.microsoft.com/2003/10/Serialization/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"
 z:Id="1"><AtlasNodeId>7</AtlasNodeId><Id>19493759</Id><Position z:Id="2"><X>1e-5</X><Y>-2e-5</Y><Z>0</Z></Position>
 <TargetLocations z:Id="3"><TargetLocationsEfficient z:Id="4"><m_serializationArray z:Id="5">
 <KeyValuePairOfintTargetLocationXmlBpEWF4JT><key>5</key><value z:Id="6"><PixelCenter><x>10</x><y>20.5</y></PixelCenter>
 <StagePosition><X>1e-5</X><Y>-2e-5</Y></StagePosition><IsPositionCorrected>false</IsPositionCorrected></value>
 </KeyValuePairOfintTargetLocationXmlBpEWF4JT></m_serializationArray></TargetLocationsEfficient>
 <TargetLocations z:Ref="4" i:nil="true"/></TargetLocations></GridSquareXml>"""
"""A grid square's file as EPU lays it out; the real ones are too large to be kept here."""

DEFECTS = (
    b"CameraSizeX 52\nCameraSizeY 40\nWasScaled 0\nPartialBadColumn 7 2 1 30\nPartialBadRow 6 1 5 8\n"
    b"BadPixels 5 7 30 31\nBadColumns 10 11\nBadRows 40\n",
    b"10 3 20 3\n0 20 52 1\n",
    b"<defects><col>20-21</col><row>3</row><area>10,3,29,5</area><point>4,5</point></defects>",
)

Seeds = dict[str, list[tuple[str, bytes]]]
"""(file name, content) by kind."""


def whole_files(folder: Path) -> Seeds:
    """Seeds, made in ``folder``; the same each time."""
    found: Seeds = {kind: [] for kind in KINDS}
    for maker in (_tiffs, _eers, _mrcs):
        for kind, path in maker(folder):
            found[kind].append((path.name, path.read_bytes()))
    for path in sorted((DATA / "mdoc").glob("*.mdoc")):
        found["mdoc"].append((path.name, path.read_bytes()))
    found["xml"] = _xmls()
    found["dm"] = [(f"{n}.dm{n}", dm_bytes(_counts("int16")[0] + np.int16(1), version=n)) for n in (3, 4)]
    found["defects"] = [(f"{number}.txt", text) for number, text in enumerate(DEFECTS)]
    return found


def _counts(dtype: str) -> np.ndarray:
    return np.random.default_rng(1).poisson(3, SHAPE).astype(dtype)


def _tiffs(folder: Path) -> list[tuple[str, Path]]:
    dialects = {
        "lzw": ("uint8", {"compression": "lzw", "rowsperstrip": 7}),
        "tiles": ("uint16", {"compression": "zlib", "tile": (16, 32)}),
        "zstd": ("float32", {"compression": "zstd", "rowsperstrip": 40}),
        "big": ("uint8", {"bigtiff": True}),
        "plain": ("int16", {"byteorder": ">"}),
        "predicted": ("uint16", {"compression": "lzw", "predictor": True, "byteorder": ">"}),
        "packbits": ("uint8", {"compression": "packbits"}),
    }
    made = []
    for name, (dtype, options) in dialects.items():
        path = folder / f"{name}.tiff"
        tifffile.imwrite(path, _counts(dtype), photometric="minisblack", metadata=None, **options)
        made.append(("tiff", path))
    gain = folder / "gain.tiff"
    tifffile.imwrite(gain, GAIN, photometric="minisblack", metadata=None)
    return [*made, ("tiff", gain)]


def _eers(folder: Path) -> list[tuple[str, Path]]:
    frames = np.random.default_rng(2).random((12, 48, 64)) < 0.03
    path = folder / "movie.eer"
    write_eer(path, frames, metadata={"totalDose": "2.4", "numberOfFrames": "12"}, seed=2)
    early = folder / "early.eer"  # the code of another version: its frames end elsewhere
    early.write_bytes(path.read_bytes().replace((65001).to_bytes(2, "little") + b"\0" * 6, b"\xe8\xfd" + b"\0" * 6))
    return [("eer", path), ("eer", early)]


def _mrcs(folder: Path) -> list[tuple[str, Path]]:
    made = []
    for dtype in ("int8", "int16", "float32", "uint16", "float16"):
        path = folder / f"{dtype}.mrc"
        write_mrc(path, _counts(dtype), pixel_size_angstrom=1.1)
        made.append(("mrc", path))
    write_mrc(folder / "gain.mrc", GAIN, pixel_size_angstrom=1.0)
    made.append(("mrc", folder / "gain.mrc"))
    packed = folder / "packed.mrc"
    data = bytearray((folder / "int8.mrc").read_bytes())
    data[12] = 101
    packed.write_bytes(data[: 1024 + SHAPE[0] * SHAPE[1] * SHAPE[2] // 2])
    imod = folder / "imod.mrc"
    data[12] = 0
    data[152:156] = (1146047817).to_bytes(4, "little")
    imod.write_bytes(data)
    real = folder / "fei.mrc"
    data = bytearray((DATA / "micrographs/epu2.9_crop.mrc").read_bytes()[: 1024 + 888 + 40 * 52 * 2])
    for place, value in ((0, 52), (4, 40), (8, 1), (92, 888)):
        data[place : place + 4] = value.to_bytes(4, "little")
    real.write_bytes(data)
    return [*made, ("mrc", packed), ("mrc", imod), ("mrc", real)]


def _xmls() -> list[tuple[str, bytes]]:
    """One of each file of EPU's, by what the name says it is."""
    wanted = (
        ("falcon3_afis_epu26", "_Fractions.xml"),
        ("falcon3_afis_epu26", "645.xml"),
        ("falcon4i_eer_epu38", "517.xml"),
        ("krios_k3_epu34", "EpuSession.dm"),
        ("krios_k3_epu34", "Sample0/Atlas/Atlas.dm"),
        ("krios_k3_epu34", "Sample0/Sample.dm"),
        ("krios_k3_epu34", "Data/FoilHole_19513699_Data_19508496_19508498_20230919_154056.xml"),
    )
    found = []
    for archive, part in wanted:
        with tarfile.open(DATA / "epu" / f"{archive}.tar.xz") as tar:
            member = min((one for one in tar if part in one.name and one.isfile()), key=lambda one: one.size)
            content = tar.extractfile(member)
            assert content is not None
            found.append((Path(member.name).name, content.read()))
    return [*found, ("GridSquare_1.dm", SQUARE)]
