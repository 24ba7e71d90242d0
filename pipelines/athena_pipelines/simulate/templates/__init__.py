"""Text of the XML files, with ``$name`` where a value goes. The element order and name spaces are those of EPU 3.4;
of Tomography 5, those that public readers of its sessions look for."""

from functools import cache
from importlib.resources import files
from string import Template
from xml.sax.saxutils import escape


def fill(template: str, /, **values: object) -> str:
    """Text of ``<template>.xml`` with every value put in; ``values`` that are already XML are marked by ``Xml``."""
    texts = {name: value.text if isinstance(value, Xml) else escape(_text(value)) for name, value in values.items()}
    return _load(template).substitute(texts)


class Xml:
    """A piece of XML that is put into a template as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


@cache
def _load(name: str) -> Template:
    return Template(files(__name__).joinpath(f"{name}.xml").read_text(encoding="utf-8").strip())


def _text(value: object) -> str:
    """Invariant text as .NET writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).upper()
    return str(value)
