import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VectorMetric } from '../tables.ts';
import { type Ground, startOn, type TestFeature, viewer } from '../testing/test-feature.ts';

const ada = viewer('prn_ada', ['DATA_SCIENTIST']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST'], 'tnt_globex');

const create = `mutation($input: CreateVectorIndexInput!) { createVectorIndex(input: $input) {
  vectorIndex { name dimensions metric size } } }`;
const upsert = `mutation($input: UpsertVectorsInput!) { upsertVectors(input: $input) {
  upserted vectorIndex { size } } }`;
const nearest = `query($index: String!, $vector: [Float!]!, $k: Int!, $filter: JSON) {
  nearest(index: $index, vector: $vector, k: $k, filter: $filter) { key distance metadata } }`;

interface Found {
  readonly key: string;
  readonly distance: number;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, nr) => sum + value * (b[nr] ?? 0), 0);
const distances: Readonly<Record<VectorMetric, (a: number[], b: number[]) => number>> = {
  COSINE: (a, b) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  L2: (a, b) => Math.hypot(...a.map((value, nr) => value - (b[nr] ?? 0))),
  INNER_PRODUCT: (a, b) => -dot(a, b),
};

/** Numbers between -1 and 1, the same in every run (mulberry32). */
function randomly(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** What the feature store promises of vectors, whatever it stands on. */
export function vectorsContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let feature: TestFeature;
  beforeAll(async () => {
    ground = await openGround();
    feature = await startOn(ground);
  });
  afterAll(async () => {
    await feature?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  async function near(index: string, vector: readonly number[], k = 10, filter?: unknown) {
    const data = await feature.data(ada, nearest, { index, vector, k, filter });
    return data['nearest'] as readonly Found[];
  }

  test.for(['COSINE', 'L2', 'INNER_PRODUCT'] as const)(
    'ten nearest of 2,000 by %s are nearly all (0.95) the true ones, with a filter too',
    async (metric) => {
      const [count, dimensions] = [2_000, 16];
      const random = randomly(7);
      const vectorOf = () => Array.from({ length: dimensions }, random);
      const stored = Array.from({ length: count }, (_, nr) => ({
        key: `k${nr}`,
        vector: vectorOf(),
        metadata: { group: nr % 4, tag: { odd: nr % 2 === 1 } },
      }));
      const index = `recall-${metric.toLowerCase().replace('_', '-')}`;
      await feature.data(ada, create, { input: { name: index, dimensions, metric } });
      for (const from of [0, 1_000])
        await feature.data(ada, upsert, {
          input: { index, vectors: stored.slice(from, from + 1_000) },
        });

      const measure = distances[metric];
      const recall = async (filter: unknown, keep: (nr: number) => boolean) => {
        let hits = 0;
        for (let nr = 0; nr < 20; nr += 1) {
          const asked = vectorOf();
          const truth = stored
            .filter((_, at) => keep(at))
            .map(({ key, vector }) => ({ key, distance: measure(asked, vector) }))
            .toSorted((a, b) => a.distance - b.distance)
            .slice(0, 10);
          const found = await near(index, asked, 10, filter);
          hits += found.filter(({ key }) => truth.some((true_) => true_.key === key)).length;
          expect(found).toHaveLength(10);
          expect(found[0]?.distance).toBeCloseTo(
            measure(asked, stored[Number(found[0]?.key.slice(1))]?.vector ?? []),
            4,
          );
          expect(found).toEqual(found.toSorted((a, b) => a.distance - b.distance));
        }
        return hits / 200;
      };

      expect(await recall(undefined, () => true)).toBeGreaterThanOrEqual(0.95);
      expect(
        await recall({ group: 1, tag: { odd: true } }, (nr) => nr % 4 === 1),
      ).toBeGreaterThanOrEqual(0.95);
    },
  );

  test('a key comes once: written again, it is replaced', async () => {
    await feature.data(ada, create, { input: { name: 'replaced', dimensions: 2, metric: 'L2' } });
    const put = (vector: number[], metadata?: unknown) =>
      feature.data(ada, upsert, {
        input: { index: 'replaced', vectors: [{ key: 'a', vector, metadata }] },
      });
    await put([1, 1], { old: true });

    expect(await put([3, 4])).toEqual({ upsertVectors: { upserted: 1, vectorIndex: { size: 1 } } });
    expect(await near('replaced', [0, 0])).toEqual([{ key: 'a', distance: 5, metadata: {} }]);
  });

  test('an index is made once, also by many at once, and stays what it is', async () => {
    const input = { name: 'once', dimensions: 3, metric: 'COSINE' };
    const codes = await Promise.all([1, 2, 3, 4].map(() => feature.code(ada, create, { input })));

    expect(codes).toEqual(['', '', '', '']);
    for (const over of [{ dimensions: 4 }, { metric: 'L2' }])
      expect(await feature.code(ada, create, { input: { ...input, ...over } })).toBe(
        'VECTOR_INDEX_EXISTS',
      );
  });

  test.for([
    ['no dimension', { dimensions: 0 }, 'INVALID_VECTOR'],
    ['more than 2,000 dimensions', { dimensions: 2_001 }, 'INVALID_VECTOR'],
    ['a bad name', { name: 'A B' }, 'INVALID_FEATURE_VIEW'],
  ] as const)('an index with %s is refused', async ([, over, code]) => {
    const input = { name: 'wrong', dimensions: 2, ...over };

    expect(await feature.code(ada, create, { input })).toBe(code);
  });

  describe('wrong vectors', () => {
    beforeAll(async () => {
      for (const metric of ['COSINE', 'INNER_PRODUCT'])
        await feature.data(ada, create, {
          input: { name: metric.toLowerCase(), dimensions: 2, metric },
        });
    });

    test.for([
      ['of other dimensions', [1], 'cosine'],
      ['of zero, by cosine', [0, 0], 'cosine'],
      ['too small for single precision, by cosine', [1e-30, 0], 'cosine'],
      ['too large for single precision', [1e39, 1], 'cosine'],
      ['whose products overflow', [1e30, 1], 'inner_product'],
    ] as const)('%s are refused, to store and to ask', async ([, vector, index]) => {
      const vectors = [
        { key: 'ok', vector: [1, 1] },
        { key: 'a', vector },
      ];

      expect(await feature.code(ada, upsert, { input: { index, vectors } })).toBe('INVALID_VECTOR');
      expect(await feature.code(ada, nearest, { index, vector, k: 1 })).toBe('INVALID_VECTOR');
      expect(await near(index, [1, 1])).toEqual([]);
    });

    test.for([
      ['none', []],
      [
        'one key twice',
        [
          { key: 'a', vector: [1, 1] },
          { key: 'a', vector: [1, 2] },
        ],
      ],
      ['an empty key', [{ key: '', vector: [1, 1] }]],
      ['metadata that is no object', [{ key: 'a', vector: [1, 1], metadata: [1] }]],
      [
        'more than 1,000',
        Array.from({ length: 1_001 }, (_, nr) => ({ key: `${nr}`, vector: [1, 1] })),
      ],
    ] as const)('%s: refused', async ([, vectors]) => {
      expect(await feature.code(ada, upsert, { input: { index: 'cosine', vectors } })).toBe(
        'INVALID_VECTOR',
      );
    });

    test.for([
      ['k of 0', { k: 0 }, 'INVALID_VECTOR'],
      ['k of 101', { k: 101 }, 'INVALID_VECTOR'],
      ['a filter that is no object', { filter: [1] }, 'INVALID_VECTOR'],
      ['an index that is not there', { index: 'nope' }, 'VECTOR_INDEX_NOT_FOUND'],
    ] as const)('asking with %s is refused', async ([, over, code]) => {
      expect(
        await feature.code(ada, nearest, { index: 'cosine', vector: [1, 1], k: 1, ...over }),
      ).toBe(code);
    });
  });

  test('an index is its tenant’s alone, and two tenants may have one of the same name', async () => {
    const input = { name: 'shared-name', dimensions: 2 };
    await feature.data(ada, create, { input });
    await feature.data(ada, upsert, {
      input: { index: 'shared-name', vectors: [{ key: 'a', vector: [1, 0] }] },
    });
    const ask = { index: 'shared-name', vector: [1, 0], k: 10 };
    const find =
      '{ vectorIndex(name: "shared-name") { size } vectorIndexes { edges { node { name } } } }';

    expect(await feature.code(mallory, nearest, ask)).toBe('VECTOR_INDEX_NOT_FOUND');
    expect(await feature.data(mallory, find)).toEqual({
      vectorIndex: null,
      vectorIndexes: { edges: [] },
    });
    await feature.data(mallory, create, { input: { ...input, metric: 'L2' } });
    expect(await feature.data(mallory, nearest, ask)).toEqual({ nearest: [] });
    expect(await feature.data(mallory, find)).toMatchObject({ vectorIndex: { size: 0 } });
    expect(await feature.data(ada, find)).toMatchObject({ vectorIndex: { size: 1 } });
  });
}
