import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KvBlock } from './kv-lane.ts';
import { KvLane } from './kv-lane.ts';

const layout = { layers: 1, kvHeads: 2, headDim: 2, context: 40 };
const laneOf = () => new KvLane({ layout, maxRows: 4, bucket: 8 });

/** Positions whose values tell sequence, head and place. */
function positions(sequence: number, start: number, count: number): KvBlock {
  const part = (sign: number) =>
    Float32Array.from({ length: 2 * count * 2 }, (_, at) => {
      const head = Math.floor(at / (count * 2));
      const place = start + Math.floor((at % (count * 2)) / 2);
      return sign * (sequence * 10_000 + head * 1_000 + place * 10 + (at % 2));
    });
  return { positions: count, parts: [part(1), part(-1)] };
}

describe('a lane of keys and values', () => {
  test('keeps every sequence whole through joins, appends, leaves and changes of stride', () => {
    const acts = fc.array(
      fc.record({
        act: fc.constantFrom('add', 'append', 'append', 'append', 'remove', 'fit'),
        pick: fc.nat(),
        count: fc.integer({ min: 1, max: 12 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(acts, (actions) => {
        const lane = laneOf();
        const expected: { id: number; length: number }[] = [];
        for (const [id, { act, pick, count }] of actions.entries()) {
          const row = expected.length === 0 ? -1 : pick % expected.length;
          const sequence = expected[row];
          if (act === 'add' && !lane.full) expected[lane.add()] = { id, length: 0 };
          else if (act === 'append' && sequence && sequence.length + count <= layout.context) {
            lane.restore(row, positions(sequence.id, sequence.length, count));
            sequence.length += count;
          } else if (act === 'remove' && sequence) {
            lane.remove(row);
            const last = expected.pop();
            if (last && row < expected.length) expected[row] = last;
          } else if (act === 'fit') lane.fit();

          expect(lane.rows).toBe(expected.length);
          for (const [at, { id: name, length }] of expected.entries()) {
            expect(lane.lengthOf(at)).toBe(length);
            expect(lane.snapshot(at)).toEqual(positions(name, 0, length));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes only the asked positions of a padded chunk, from its row of the output', () => {
    const lane = laneOf();
    const row = lane.add();
    const own = positions(5, 0, 4);
    const other = positions(9, 0, 4);
    const parts = own.parts.map((part, index) =>
      Float32Array.from([...(other.parts[index] ?? []), ...part]),
    );
    lane.append(row, { chunk: 4, parts }, 1, 3);
    expect(lane.snapshot(row)).toEqual(positions(5, 0, 3));
  });

  test('has the stride of its longest sequence, not of the context', () => {
    const lane = laneOf();
    lane.restore(lane.add(), positions(1, 0, 3));
    expect(lane.stride).toBe(8);
    lane.restore(lane.add(), positions(2, 0, 20));
    expect(lane.stride).toBe(24);
    lane.remove(1);
    lane.fit();
    expect(lane.stride).toBe(8);
    expect(lane.snapshot(0)).toEqual(positions(1, 0, 3));
  });

  test('refuses more sequences than it has rows', () => {
    const lane = laneOf();
    for (let row = 0; row < 4; row++) lane.add();
    expect(() => lane.add()).toThrow('full');
  });
});
