// How a view of a run that grows keeps up with it.

/** Rows looked at again behind the place where processing is: failed ones may have been sent round once more. */
export const LOOK_BACK = 200;
/** Everything is read again this often while things change; more rarely in long runs. */
export const FULL_PULL_EVERY_MS = 60_000;
const PAUSE_MS = 250;

/** Pulls that are asked for while one runs are joined into one more: `once` brings everything up to date; what the returned function is called with reaches it. */
export function joined<A extends unknown[]>(signal: AbortSignal, once: (...asked: A) => Promise<void>) {
  let pulling = false;
  let again = false;
  return async (...asked: A): Promise<void> => {
    if (pulling) {
      again = true;
      return;
    }
    pulling = true;
    try {
      do {
        again = false;
        await once(...asked);
        if (again) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      } while (again && !signal.aborted);
    } finally {
      pulling = false;
    }
  };
}
