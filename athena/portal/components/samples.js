// What the samples' page and their side of the data panel share.

const SAMPLE_FIELDS = (one = {}) => [
  { name: "name", label: "Name", value: one.name ?? "", required: true, maxlength: 200 },
  { name: "type", label: "Type", value: one.type ?? "", maxlength: 100, placeholder: "Grid, cell line, purified protein …" },
  { name: "description", label: "Description", type: "textarea", value: one.description ?? "", maxlength: 20000 },
  { name: "barcode", label: "Barcode", value: one.barcode ?? "", maxlength: 100 },
  { name: "cassette", label: "Cassette", value: one.cassette ?? "", maxlength: 100 },
  { name: "slot", label: "Slot", type: "number", value: one.slot ?? "", min: 0, max: 10000 }]

// where it is kept, in words
function samplePlace(one) {
  const kept = [one.barcode ? `Barcode ${one.barcode}` : "", one.cassette ? `cassette ${one.cassette}` : "", one.slot !== null && one.slot !== undefined ? `slot ${one.slot}` : ""].filter(Boolean).join(", ")
  return kept || "No place is noted."
}
