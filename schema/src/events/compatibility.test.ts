import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { breakingChanges, type JsonSchema } from './compatibility.ts';
import { contracts } from './index.ts';

const schemaOf = (type: z.ZodType): JsonSchema => z.toJSONSchema(type) as JsonSchema;
const event = { id: z.string(), kind: z.enum(['A', 'B']), rows: z.array(z.int()) };
const before = schemaOf(z.object(event));

describe('a changed contract', () => {
  test('may gain an optional field', () => {
    const after = schemaOf(z.object({ ...event, note: z.string().optional() }));

    expect(breakingChanges(before, after)).toEqual([]);
  });

  test.for([
    ['lose a field', z.object({ id: event.id, kind: event.kind }), 'rows is gone'],
    ['demand a new field', z.object({ ...event, note: z.string() }), 'note is new and demanded'],
    ['change a type', z.object({ ...event, id: z.number() }), 'id has another type'],
    ['change what a list holds', z.object({ ...event, rows: z.array(z.string()) }), 'rows[]'],
    ['lose a value', z.object({ ...event, kind: z.enum(['A']) }), 'lost B'],
    ['gain a value', z.object({ ...event, kind: z.enum(['A', 'B', 'C']) }), 'may be C'],
    ['weaken a field', z.object({ ...event, id: z.string().optional() }), 'id may be missing'],
  ] as const)('may not %s', ([, after, reason]) => {
    expect(breakingChanges(before, schemaOf(after)).join()).toContain(reason);
  });
});

test('every contract has a subject of its own, with a version', () => {
  const subjects = contracts.map(({ subject }) => subject);

  expect(new Set(subjects).size).toBe(subjects.length);
  for (const subject of subjects) expect(subject).toMatch(/^[a-z]+\.[a-z-]+\.v[1-9]\d*$/);
});
