import { describe, expect, it } from 'vitest';

import { fuzz } from './run-fuzz.ts';
import { shapes } from './shapes.ts';

const operations = 3_000;
const seed = Math.floor(Math.random() * 1_000_000_000);

describe('the router against a monolith over the same data', () => {
  it(`answers ${operations} random operations alike, seed ${seed}`, async () => {
    const lines: string[] = [];
    const report = await fuzz({ operations, seed, print: (line) => lines.push(line) });
    expect(lines.filter((line) => /DIVERGENCE|expected|actual/.test(line))).toEqual([]);
    expect(report.divergences).toEqual([]);
    expect(report.operations).toBe(operations);
    expect(report.shapes.size).toBe(shapes.length);
    expect(shapes.length).toBeGreaterThanOrEqual(20);
  }, 900_000);
});
