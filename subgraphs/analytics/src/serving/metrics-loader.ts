import DataLoader from 'dataloader';
import { type ServingMetrics, summarise, type TimeRange } from './serving-metrics.ts';
import type { ServingStore } from './serving-store.ts';

export interface MetricsKey {
  readonly versionId: string;
  readonly range: TimeRange;
  /** The width of a bucket, in ms. */
  readonly everyMs: number;
}

export type MetricsLoader = DataLoader<MetricsKey, ServingMetrics, string>;

/** Metrics of many versions with one statement per window. Lives for one request. */
export function metricsLoader(store: ServingStore, tenant: string): MetricsLoader {
  return new DataLoader<MetricsKey, ServingMetrics, string>(
    async (keys) => {
      const ranges = new Map(keys.map((key) => [rangeKey(key.range), key.range]));
      const slices = new Map(
        await Promise.all(
          [...ranges].map(async ([name, range]) => {
            const wanted = keys.filter((key) => rangeKey(key.range) === name);
            const ids = [...new Set(wanted.map(({ versionId }) => versionId))];
            return [name, await store.slices(tenant, ids, range)] as const;
          }),
        ),
      );
      return keys.map(({ versionId, range, everyMs }) => {
        const own = slices.get(rangeKey(range))?.filter((slice) => slice.versionId === versionId);
        return summarise(own ?? [], range, everyMs);
      });
    },
    { cacheKeyFn: ({ versionId, range, everyMs }) => `${versionId} ${rangeKey(range)} ${everyMs}` },
  );
}

const rangeKey = ({ from, to }: TimeRange): string => `${from.getTime()}-${to.getTime()}`;
