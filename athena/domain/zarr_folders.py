"""Folders that are one zarr each, known by the names of their files."""

ZARR = ".zarr"
ROOTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
"""Files at the top of a zarr folder; the first of them that is there stands for the folder."""


def zarr_folder(name: str) -> str:
    """Path of the zarr folder that a file stands for, by the file's name; empty where it stands for none."""
    folder, _, last = name.rpartition("/")
    return folder if last in ROOTS and folder.lower().endswith(ZARR) else ""


def is_zarr_folder(name: str) -> bool:
    """Whether a folder is meant as a zarr, by its name."""
    return name.lower().endswith(ZARR)
