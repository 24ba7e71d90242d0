"""Words for kinds and types, as people see them."""

from athena.contract.elements import DatasetType, Element, ElementKind, Template

KINDS = {
    ElementKind.FOLDER: "Folder",
    ElementKind.WORKFLOW: "Workflow",
    ElementKind.STEP: "Step",
    ElementKind.DATASET: "Dataset",
}
TEMPLATES = {
    Template.FREE: "Free",
    Template.SPA: "Single Particle Analysis",
    Template.SPA_QUALITY_MONITOR: "SPA with quality monitor",
    Template.SPA_CRYOSPARC_LIVE: "SPA with CryoSPARC Live",
    Template.TOMO_LIVE: "Cryo-electron tomography with Tomo Live",
}
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
        return TEMPLATES[Template(element.type)]
    if element.kind is ElementKind.DATASET and element.type:
        return DATASET_TYPES[DatasetType(element.type)]
    return ""
