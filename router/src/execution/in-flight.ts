import type { GraphAnswer } from '../graph.ts';

/** Runs of equal questions that are under way. */
export interface InFlight {
  /**
   * The answer of the run with that key, started by the first who asks. A run is given up when
   * everybody who waits for it has.
   */
  join(
    key: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<GraphAnswer>,
  ): Promise<GraphAnswer>;
}

interface Shared {
  readonly answer: Promise<GraphAnswer>;
  readonly aborter: AbortController;
  waiting: number;
}

export function inFlight(): InFlight {
  const runs = new Map<string, Shared>();
  return {
    async join(key, signal, run) {
      const shared = runs.get(key) ?? begin(key, run);
      shared.waiting += 1;
      const leave = () => {
        shared.waiting -= 1;
        if (shared.waiting === 0) {
          if (runs.get(key) === shared) runs.delete(key);
          shared.aborter.abort(signal.reason);
        }
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      try {
        return await shared.answer;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };

  function begin(key: string, run: (signal: AbortSignal) => Promise<GraphAnswer>): Shared {
    const aborter = new AbortController();
    const shared: Shared = { answer: run(aborter.signal), aborter, waiting: 0 };
    runs.set(key, shared);
    const forget = () => {
      if (runs.get(key) === shared) runs.delete(key);
    };
    shared.answer.then(forget, forget);
    return shared;
  }
}
