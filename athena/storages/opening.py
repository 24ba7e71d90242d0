"""From a URL to a storage."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from athena.errors import Invalid
from athena.storages.base import Storage
from athena.storages.local import LocalStorage
from athena.storages.objects import ObjectStorage

HOME = "home:"
"""Scheme of folders in the instance's home: they follow it when it is moved or restored elsewhere."""
OBJECT_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"})


def open_storage(url: str, options: Mapping[str, str] | None = None, *, home: Path, read_only: bool = False) -> Storage:
    """Storage at a URL; nothing is asked of it yet.

    Parameters
    ----------
    url : ``file:///folder``, ``home:folder/in/the/home``, ``s3://bucket/folder``, ``gs://…``, ``az://…``.
    options : of an object store, by obstore's names: ``endpoint``, ``region``, ``access_key_id``, ….
    home : folder that ``home:`` means.

    Raises
    ------
    Invalid : no such kind of storage, or an option it does not know.
    """
    folder = local_folder(url, home=home)
    if folder is not None:
        if options:
            raise Invalid(f"The folder {folder} takes no options, but got {', '.join(sorted(options))}.")
        return LocalStorage(folder, read_only=read_only)
    _check_object_url(url)
    return ObjectStorage(url, options or {}, read_only=read_only)


def local_folder(url: str, *, home: Path) -> Path | None:
    """Folder that a URL means, None where it means no folder. Raises Invalid where it means none that is safe."""
    if url.startswith(HOME):
        parts = Path(url.removeprefix(HOME)).parts
        if not parts or ".." in parts or Path(*parts).is_absolute() or "\0" in url:
            raise Invalid(f"{url!r} is not a folder in the instance's home.", hint="Such as home:export.")
        return home.joinpath(*parts)
    if not url.startswith("file:"):
        return None
    split = urlsplit(url)
    path = Path(unquote(split.path))
    if split.netloc not in ("", "localhost") or split.query or split.fragment or "\0" in str(path):
        raise Invalid(f"{url!r} is not the URL of a folder on the server.", hint="Such as file:///data/athena.")
    if not path.is_absolute() or ".." in path.parts or path == Path("/"):
        raise Invalid(f"{url!r} is not the full path of a folder.", hint="Such as file:///data/athena.")
    return path


def _check_object_url(url: str) -> None:
    split = urlsplit(url)
    if split.scheme not in OBJECT_SCHEMES:
        raise Invalid(
            f"There is no kind of storage for {split.scheme or url[:40]!r}.",
            hint="Athena knows file:, home:, s3:, gs: and az: URLs.",
        )
    # abfss://container@account is a place; anywhere else what stands before the @ is a name to log in with
    if split.password or (split.username and not split.scheme.startswith("abfs")):
        raise Invalid("A URL is shown to people: it may not hold a name or password.", hint="Give them as options.")
    if not split.netloc or split.query or split.fragment or ".." in split.path.split("/"):
        raise Invalid(f"{url!r} does not name a bucket and a folder in it.", hint="Such as s3://bucket/folder.")
