import DataLoader from 'dataloader';
import type { ViewLoader } from '../context.ts';
import type { FeatureView } from '../view/view-store.ts';
import { type FeatureValue, judged, type Reading, readingId } from './feature-vector.ts';
import type { ValueStore } from './value-store.ts';

/** The features of one entity, as one reading found them. */
export interface FeatureVector {
  readonly id: string;
  readonly view: FeatureView;
  readonly reading: Reading;
  readonly values: readonly { readonly name: string; readonly value: FeatureValue }[];
}

export type VectorLoader = DataLoader<Reading, FeatureVector | undefined, string>;

/** Readings of many entities with one statement per view version. Lives for one request. */
export function vectorLoader(deps: {
  readonly values: ValueStore;
  readonly tenant: string;
  readonly viewOf: ViewLoader;
}): VectorLoader {
  const { values, tenant, viewOf } = deps;
  return new DataLoader<Reading, FeatureVector | undefined, string>(
    async (readings) => {
      const found = new Map<string, FeatureVector>();
      for (const group of groupedByView(readings)) {
        const [first] = group;
        const view = first && (await viewOf.load({ name: first.view, version: first.version }));
        if (!view) continue;
        const fields = view.fields.map(({ name }) => name);
        const stored = await values.read(tenant, group, fields);
        for (const [index, reading] of group.entries()) {
          const vector = vectorOf(view, reading, stored[index] ?? new Map());
          found.set(vector.id, vector);
        }
      }
      return readings.map((reading) => found.get(readingId(reading)));
    },
    { cacheKeyFn: readingId },
  );
}

function vectorOf(
  view: FeatureView,
  reading: Reading,
  stored: Awaited<ReturnType<ValueStore['read']>>[number],
): FeatureVector {
  const { at } = reading;
  return {
    id: readingId(reading),
    view,
    reading,
    values: view.fields.map((field) => ({
      name: field.name,
      value: judged({ field, stored: stored.get(field.name), ttlMs: view.ttlMs, at }),
    })),
  };
}

function groupedByView(readings: readonly Reading[]): readonly (readonly Reading[])[] {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const key = `${reading.view} ${reading.version}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(reading);
  }
  return [...groups.values()];
}
