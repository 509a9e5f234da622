import { instantOf, parseInstant } from '@opea/kernel/clock';
import type { servedItem } from '@opea/schema/events';
import type { z } from 'zod';
import { type Histogram, histogramOf, mergeHistograms } from './latency-histogram.ts';

export type ServedItem = z.infer<typeof servedItem>;

/** What one model version did in one stretch of time. Slices of the same version add up. */
export interface Slice {
  readonly modelId: string;
  readonly model: string;
  readonly versionId: string;
  /** The start of its second (or, rolled up, of its minute). */
  readonly at: Date;
  readonly requests: number;
  readonly errors: number;
  readonly predictions: number;
  /** Rows of predictions. */
  readonly rows: number;
  /** Each request counts the share of its execution that its rows are: the sum is the number of executions. */
  readonly executions: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of total latency, answered requests only. */
  readonly latency: Histogram;
  readonly firstToken: Histogram;
}

/** When it was asked; contracts hold `at` to RFC 3339. */
export const instantAt = (at: string): Date => parseInstant(at) ?? instantOf(0);

/** Sorts what was served into slices of `widthMs` per model version. */
export function slicesOf(items: readonly ServedItem[], widthMs: number): readonly Slice[] {
  const groups = new Map<string, ServedItem[]>();
  for (const item of items) {
    const key = `${item.versionId} ${startOf(item, widthMs)}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(item);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [sliceOf(first, group, widthMs)] : [];
  });
}

/** Adds slices of one version up; the sum stands where the first stood. */
export function addSlices(first: Slice, others: readonly Slice[]): Slice {
  const all = [first, ...others];
  const sum = (pick: (slice: Slice) => number) => all.reduce((total, s) => total + pick(s), 0);
  return {
    ...first,
    requests: sum((slice) => slice.requests),
    errors: sum((slice) => slice.errors),
    predictions: sum((slice) => slice.predictions),
    rows: sum((slice) => slice.rows),
    executions: sum((slice) => slice.executions),
    queueMs: sum((slice) => slice.queueMs),
    computeMs: sum((slice) => slice.computeMs),
    promptTokens: sum((slice) => slice.promptTokens),
    completionTokens: sum((slice) => slice.completionTokens),
    latency: mergeHistograms(all.map(({ latency }) => latency)),
    firstToken: mergeHistograms(all.map(({ firstToken }) => firstToken)),
  };
}

const startOf = ({ at }: ServedItem, widthMs: number): number =>
  Math.floor(instantAt(at).getTime() / widthMs) * widthMs;

function sliceOf(first: ServedItem, items: readonly ServedItem[], widthMs: number): Slice {
  const answered = items.filter(({ outcome }) => outcome === 'OK');
  const predictions = answered.filter(({ kind }) => kind === 'PREDICTION');
  const sum = (of: readonly ServedItem[], pick: (item: ServedItem) => number | undefined) =>
    of.reduce((total, item) => total + (pick(item) ?? 0), 0);
  return {
    modelId: first.modelId,
    model: first.model,
    versionId: first.versionId,
    at: instantOf(startOf(first, widthMs)),
    requests: items.length,
    errors: items.length - answered.length,
    predictions: predictions.length,
    rows: sum(predictions, ({ rows }) => rows ?? 1),
    executions: sum(
      predictions,
      ({ rows, batchSize }) => (rows ?? 1) / Math.max(1, batchSize ?? 1),
    ),
    queueMs: sum(answered, ({ queueMs }) => queueMs),
    computeMs: sum(answered, ({ computeMs }) => computeMs),
    promptTokens: sum(items, ({ promptTokens }) => promptTokens),
    completionTokens: sum(items, ({ completionTokens }) => completionTokens),
    latency: histogramOf(answered.map(({ totalMs }) => totalMs)),
    firstToken: histogramOf(answered.flatMap(({ timeToFirstTokenMs }) => timeToFirstTokenMs ?? [])),
  };
}
