import { z } from 'zod';
import type { LineageInput } from '../generated/resolvers.ts';
import type { VersionPublished } from './model-facts.ts';

/** What a publisher says of a version's origin, as the event keeps it: plain JSON, nothing left undefined. */
export function lineageOf(
  input: LineageInput | null | undefined,
): Pick<VersionPublished, 'lineage'> {
  if (!input) return {};
  const { codeRef = null, params, metrics, datasets } = input;
  return {
    lineage: {
      codeRef,
      params: plain(params),
      metrics: plain(metrics),
      datasets: datasets.map(({ name, hash = null }) => ({ name, hash })),
    },
  };
}

function plain(value: unknown) {
  return z.json().parse(JSON.parse(JSON.stringify(value ?? null)));
}
