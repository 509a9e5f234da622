import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { difference } from './compare.ts';
import type { SubgraphSource } from './facts.ts';
import { openTrial } from './trial.ts';

interface Case {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly subgraphs: readonly SubgraphSource[];
}

const folder = new URL('./regressions/', import.meta.url);
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'));

describe('what the fuzzer once found', () => {
  it.each(cases)('%s is answered as a monolith does', async (name) => {
    const { subgraphs, ...operation }: Case = JSON.parse(
      readFileSync(new URL(name, folder), 'utf8'),
    );
    await using trial = openTrial(subgraphs);
    if (!trial) throw new Error('The subgraphs do not compose');
    const { expected, actual } = await trial.answers(operation);
    expect(difference(expected, actual)).toBeUndefined();
  });
});
