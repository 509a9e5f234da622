import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isolateFailures } from './isolate-failures.ts';

const failure = new Error('a bad row');

test('whatever rows are bad: they fail, and all others get their own answer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 70 }), async (bad) => {
      let executions = 0;
      const works = bad.map((isBad, id) => ({ id, isBad }));

      const outcomes = await isolateFailures(
        works,
        async (part) => {
          executions += 1;
          if (part.some(({ isBad }) => isBad)) throw failure;
          return part.map(({ id }) => ({ ok: true as const, answer: id }));
        },
        () => true,
      );

      expect(outcomes).toEqual(
        works.map(({ id, isBad }) =>
          isBad ? { ok: false, error: failure } : { ok: true, answer: id },
        ),
      );
      const badRows = works.filter(({ isBad }) => isBad).length;
      expect(executions).toBeLessThanOrEqual(1 + 2 * badRows * Math.ceil(Math.log2(works.length)));
    }),
  );
});

test('an error that splitting cannot cure fails the whole at once', async () => {
  let executions = 0;

  const outcomes = await isolateFailures(
    [1, 2, 3],
    async () => {
      executions += 1;
      throw failure;
    },
    () => false,
  );

  expect(executions).toBe(1);
  expect(outcomes).toHaveLength(3);
});
