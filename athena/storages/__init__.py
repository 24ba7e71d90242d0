"""Where files lie, by URL: folders and object storages behind one interface."""

from athena.storages.base import Capacity, Stat, Storage, Stored
from athena.storages.copying import copy, verify
from athena.storages.opening import open_storage

__all__ = ["Capacity", "Stat", "Storage", "Stored", "copy", "open_storage", "verify"]
