export interface StopMatcher {
  /** Takes text as it comes; gives what can no longer be part of a stop string. */
  push(text: string): StopStep;
  /** What was held back, when nothing more comes. */
  flush(): string;
}

export interface StopStep {
  readonly text: string;
  /** A stop string was found; `text` ends before it, and nothing follows. */
  readonly stopped: boolean;
}

/** Finds stop strings in streamed text, wherever the borders of tokens fall, and never lets a part of one out. */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  let held = '';

  return {
    push(text) {
      if (stops.length === 0) return { text, stopped: false };
      held += text;
      const found = firstOf(held, stops);
      if (found >= 0) return { text: held.slice(0, found), stopped: true };

      const keep = longestStart(held, stops);
      const out = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { text: out, stopped: false };
    },
    flush() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

function firstOf(text: string, stops: readonly string[]): number {
  let first = -1;
  for (const stop of stops) {
    const found = text.indexOf(stop);
    if (found >= 0 && (first < 0 || found < first)) first = found;
  }
  return first;
}

/** Length of the longest end of the text that begins a stop string. */
function longestStart(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops)
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--)
      if (stop.startsWith(text.slice(text.length - length))) {
        longest = length;
        break;
      }
  return longest;
}
