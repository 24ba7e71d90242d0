"""What the portal asks of Athena about samples (WS-22): a part of the catalogue."""

from uuid import UUID

from athena.contract.samples import ElementSample, Sample, SampleCreate, SamplePage, SampleUpdate
from athena.contract.search import Placed
from athena.portal.order import PAGE
from athena.portal.questions.base import Questions


class SampleQuestions(Questions):
    """Samples as one user sees them."""

    def samples(self, text: str = "", *, limit: int = PAGE) -> SamplePage:
        """Samples that hold a text in name, type or barcode, by name."""
        return self._client.get("/api/samples", SamplePage, params={"text": text, "limit": limit})

    def sample(self, sample_id: UUID) -> Sample:
        """One sample."""
        return self._client.get(f"/api/samples/{sample_id}", Sample)

    def sample_products(self, sample_id: UUID) -> list[Placed]:
        """All that came of a sample."""
        return self._client.get(f"/api/samples/{sample_id}/elements", list[Placed])

    def samples_of(self, element_id: UUID) -> list[ElementSample]:
        """Samples that an element, or the step it lies in, was made of."""
        return self._client.get(f"/api/elements/{element_id}/samples", list[ElementSample])

    def create_sample(self, new: SampleCreate) -> Sample:
        """Register a sample."""
        return self._client.post("/api/samples", new, Sample)

    def update_sample(self, sample_id: UUID, change: SampleUpdate) -> Sample:
        """Change a sample."""
        return self._client.patch(f"/api/samples/{sample_id}", change, Sample)

    def delete_sample(self, sample_id: UUID) -> None:
        """Delete a sample that nothing is linked to."""
        self._client.delete(f"/api/samples/{sample_id}")

    def link_sample(self, sample_id: UUID, element_id: UUID) -> Sample:
        """Say that an element was made of a sample."""
        return self._client.put(f"/api/samples/{sample_id}/elements/{element_id}", None, Sample)

    def unlink_sample(self, sample_id: UUID, element_id: UUID) -> None:
        """Take that back."""
        self._client.delete(f"/api/samples/{sample_id}/elements/{element_id}")
