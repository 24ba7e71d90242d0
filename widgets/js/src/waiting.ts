// Why an acquisition has nothing to show yet: title and what will happen.

export const WAITING_TEXT: Partial<Record<string, [string, string]>> = {
  awaiting_movie: ["No movie yet", "Its metadata came; it shows once its movie has been written and processed."],
  registered: ["Not processed yet", "It waits its turn and shows by itself."],
  left_out: ["Not in this branch", "This branch of results was not given this micrograph."],
  processing: ["Being processed", "It shows by itself in a moment."],
};
