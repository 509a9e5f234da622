import type { Outcome } from './batch.ts';

/**
 * Runs works together; when the whole fails, runs the halves, until what fails stands alone. One bad work of n costs
 * about 2·log2(n) more executions and no answer to its batch-mates. `splits` says for which errors that can help.
 */
export async function isolateFailures<Work, Answer>(
  works: readonly Work[],
  run: (works: readonly Work[]) => Promise<readonly Outcome<Answer>[]>,
  splits: (error: Error) => boolean,
): Promise<readonly Outcome<Answer>[]> {
  try {
    return await run(works);
  } catch (reason) {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (works.length === 1 || !splits(error)) return works.map(() => ({ ok: false, error }));
    const half = Math.ceil(works.length / 2);
    return [
      ...(await isolateFailures(works.slice(0, half), run, splits)),
      ...(await isolateFailures(works.slice(half), run, splits)),
    ];
  }
}
