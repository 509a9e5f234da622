import { describe, expect, test } from 'vitest';
import type { FeatureField } from '../tables.ts';
import { fits, nextVersion, type ViewShape } from './feature-view.ts';

const field = (name: string, changes: Partial<FeatureField> = {}): FeatureField => ({
  name,
  type: 'FLOAT',
  default: null,
  description: '',
  ...changes,
});
const shape: ViewShape = {
  name: 'reader_profile',
  description: '',
  entities: ['reader'],
  fields: [field('tales_read')],
  ttlMs: 60_000,
};

describe('applying a feature view', () => {
  test('makes version 1 of a new one', () => {
    expect(nextVersion([], shape)).toBe(1);
  });

  test('changes nothing when it looks like this already', () => {
    expect(nextVersion([{ ...shape, version: 3 }], shape)).toBeUndefined();
  });

  test('makes the next version when a field comes or goes', () => {
    const more = { ...shape, fields: [...shape.fields, field('mood', { type: 'STRING' })] };

    expect(nextVersion([{ ...shape, version: 3 }], more)).toBe(4);
    expect(nextVersion([{ ...more, version: 4 }], shape)).toBe(5);
  });

  test('lets a field that went come back, but not as another type', () => {
    const mood = (type: FeatureField['type']) => ({
      ...shape,
      fields: [...shape.fields, field('mood', { type })],
    });
    const versions = [
      { ...shape, version: 2 },
      { ...mood('STRING'), version: 1 },
    ];

    expect(nextVersion(versions, mood('STRING'))).toBe(3);
    expect(() => nextVersion(versions, mood('INT'))).toThrow(
      expect.objectContaining({
        kind: expect.objectContaining({ code: 'INCOMPATIBLE_FEATURE_VIEW' }),
      }),
    );
  });

  test.for([
    ['another type for a field', { fields: [field('tales_read', { type: 'STRING' })] }],
    ['other entities', { entities: ['writer'] }],
  ] as const)('with %s is refused: values are there already', ([, changes]) => {
    const apply = () => nextVersion([{ ...shape, version: 1 }], { ...shape, ...changes });

    expect(apply).toThrow(
      expect.objectContaining({
        kind: expect.objectContaining({ code: 'INCOMPATIBLE_FEATURE_VIEW' }),
      }),
    );
  });

  test.for([
    ['no entity', { entities: [] }],
    ['an entity twice', { entities: ['a', 'a'] }],
    ['no field', { fields: [] }],
    ['a field twice', { fields: [field('a'), field('a')] }],
    ['a bad name', { name: 'Reader Profile' }],
    ['a bad field name', { fields: [field('__proto__ x')] }],
    ['a default of another type', { fields: [field('a', { default: 'x' })] }],
    ['a ttl of nothing', { ttlMs: 0 }],
  ] as const)('with %s is refused', ([, changes]) => {
    expect(() => nextVersion([], { ...shape, ...changes })).toThrow(
      expect.objectContaining({ kind: expect.objectContaining({ code: 'INVALID_FEATURE_VIEW' }) }),
    );
  });
});

test.for([
  ['FLOAT', 1.5, true],
  ['FLOAT', '1.5', false],
  ['INT', 1.5, false],
  ['INT', 3, true],
  ['STRING', 'a', true],
  ['BOOLEAN', 1, false],
  ['VECTOR', [1, 2], true],
  ['VECTOR', [1, null], false],
] as const)('%s holds %j: %j', ([type, value, expected]) => {
  expect(fits(type, value)).toBe(expected);
});
