"""Words for kinds and types, as people see them."""

from athena.contract.elements import DatasetType, Element, ElementKind
from athena.domain.templates import TEMPLATES as SPECS

KINDS = {
    ElementKind.FOLDER: "Folder",
    ElementKind.WORKFLOW: "Workflow",
    ElementKind.STEP: "Step",
    ElementKind.DATASET: "Dataset",
}
TEMPLATES = {name: spec.label for name, spec in SPECS.items()}
DATASET_TYPES = {
    DatasetType.FREE: "Free dataset",
    DatasetType.EPU_RUN: "EPU run",
    DatasetType.TOMO_RUN: "Tomo run",
    DatasetType.CRYOSPARC_LIVE_RUN: "CryoSPARC Live run",
}


def kind_label(kind: ElementKind) -> str:
    """Word for a kind."""
    return KINDS[kind]


def type_label(element: Element) -> str:
    """Word for an element's type; empty where its kind says all."""
    if element.kind is ElementKind.WORKFLOW and element.type:
        return TEMPLATES.get(element.type, element.type)
    if element.kind is ElementKind.DATASET and element.type:
        return DATASET_TYPES[DatasetType(element.type)]
    return ""
