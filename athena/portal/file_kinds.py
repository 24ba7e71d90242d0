"""What files are, by the endings of their names: a word for people, and the viewer that fits (WS-07)."""

from enum import StrEnum

from athena.domain.zarr_folders import zarr_folder


class Viewer(StrEnum):
    """How a file is shown."""

    IMAGE = "image"
    """Micrographs, movies and volumes: grey values, section by section."""
    VOLUME = "volume"
    """Three planes and in space; also images of a folder on one another."""
    PICTURE = "picture"
    """What browsers draw by themselves."""
    TEXT = "text"
    TABLE = "table"
    PDF = "pdf"
    NONE = ""


ZARR_VOLUME = "Zarr volume"
_WORDS: dict[str, tuple[str, Viewer]] = {
    **dict.fromkeys(("mrc", "mrcs", "st", "ali"), ("MRC image", Viewer.IMAGE)),
    **dict.fromkeys(("map", "rec"), ("MRC volume", Viewer.IMAGE)),
    **dict.fromkeys(("tif", "tiff"), ("TIFF image", Viewer.IMAGE)),
    "gain": ("Gain reference", Viewer.IMAGE),
    "eer": ("EER movie", Viewer.IMAGE),
    "png": ("PNG picture", Viewer.PICTURE),
    **dict.fromkeys(("jpg", "jpeg"), ("JPEG picture", Viewer.PICTURE)),
    "gif": ("GIF picture", Viewer.PICTURE),
    "webp": ("WebP picture", Viewer.PICTURE),
    "csv": ("CSV table", Viewer.TABLE),
    "tsv": ("TSV table", Viewer.TABLE),
    "star": ("STAR table", Viewer.TABLE),
    "md": ("Markdown", Viewer.TEXT),
    "json": ("JSON", Viewer.TEXT),
    "xml": ("XML", Viewer.TEXT),
    "mdoc": ("mdoc", Viewer.TEXT),
    **dict.fromkeys(("txt", "log", "out", "err"), ("Text", Viewer.TEXT)),
    **dict.fromkeys(("yaml", "yml", "toml", "ini", "cfg", "conf"), ("Settings", Viewer.TEXT)),
    **dict.fromkeys(("com", "sh", "py"), ("Script", Viewer.TEXT)),
    **dict.fromkeys(("tlt", "rawtlt", "xf", "defocus", "aln", "prexg", "xg"), ("Alignment text", Viewer.TEXT)),
    "pdf": ("PDF", Viewer.PDF),
}


def describe_kind(name: str) -> tuple[str, Viewer]:
    """Word and viewer for a file's name; an ending nobody knows is its own word."""
    if zarr_folder(name):
        return ZARR_VOLUME, Viewer.VOLUME
    last = name.rsplit("/", 1)[-1]
    ending = last.rsplit(".", 1)[-1].lower() if "." in last[1:] else ""
    return _WORDS.get(ending, (ending.upper() if 0 < len(ending) <= 8 else "File", Viewer.NONE))
