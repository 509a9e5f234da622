import { hasCode } from '@opea/kernel/errors';
import { abortable } from '@opea/kernel/resilience';

/** Lets equal work that is under way at once run once. */
export class Coalescer<Answer> {
  readonly #underWay = new Map<
    string,
    { readonly answer: Promise<Answer>; readonly stop: AbortController; waiters: number }
  >();

  /**
   * Joins equal work, or starts it. The work is cancelled when the last who waits for it has given up. Who joined is not
   * bound by the limits of who started: when those end the work, it runs again under the joiner's own.
   */
  async run(
    digest: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly joined: boolean }> {
    const shared = this.#underWay.get(digest);
    if (!shared) return { answer: await this.#start(digest, signal, work), joined: false };
    shared.waiters += 1;
    try {
      return { answer: await abortable(shared.answer, signal), joined: true };
    } catch (reason) {
      if (signal.aborted || !limits.some((code) => hasCode(reason, code))) throw reason;
      return { answer: await work(signal), joined: false };
    } finally {
      this.#leave(shared);
    }
  }

  async #start(
    digest: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const stop = new AbortController();
    const answer = work(stop.signal);
    const shared = { answer, stop, waiters: 1 };
    this.#underWay.set(digest, shared);
    const forget = () => {
      if (this.#underWay.get(digest) === shared) this.#underWay.delete(digest);
    };
    answer.then(forget, forget);
    try {
      return await abortable(answer, signal);
    } finally {
      this.#leave(shared);
    }
  }

  #leave(shared: { readonly stop: AbortController; waiters: number }): void {
    shared.waiters -= 1;
    if (shared.waiters === 0) shared.stop.abort();
  }
}

/** Ends that say something about who asked, not about the work. */
const limits = ['DEADLINE_EXCEEDED', 'OVERLOADED', 'CANCELLED'];
