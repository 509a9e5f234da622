import { instantOf } from '@opea/kernel/clock';
import { badUserInput } from '@opea/kernel/errors';
import type { TimeRange } from '../serving/serving-metrics.ts';

export interface WindowInput {
  /** In ms. */
  readonly last?: number | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

const longestMs = 90 * 86_400_000;

/** The stretch of time that is meant. Throws BAD_USER_INPUT when it is empty, ambiguous or longer than 90 days. */
export function rangeOf({ last, from, to }: WindowInput, now: Date): TimeRange {
  const given = typeof last === 'number';
  if (given === isGiven(from) || (given && isGiven(to)))
    throw badUserInput({
      reason: 'A window is either `last`, or `from` and `to`.',
      field: 'window',
    });
  const end = to ?? now;
  const start = from ?? instantOf(now.getTime() - (last ?? 0));
  const length = end.getTime() - start.getTime();
  if (length > longestMs || Number.isNaN(length))
    throw badUserInput({ reason: 'A window is at most 90 days long.', field: 'window' });
  if (length <= 0) throw badUserInput({ reason: 'The window is empty.', field: 'window' });
  return { from: start, to: end };
}

/** The width of a bucket in ms: as asked, or a sixtieth of the window; at least 1 s, at most 1,000 buckets. */
export function bucketWidth(range: TimeRange, every: number | null | undefined): number {
  const length = range.to.getTime() - range.from.getTime();
  const width = every ?? Math.ceil(length / 60 / 1_000) * 1_000;
  if (width < 1_000 || length / width > 1_000)
    throw badUserInput({
      reason: 'A bucket is at least 1 s wide, and a window has at most 1,000 of them.',
      field: 'every',
    });
  return width;
}

const isGiven = (instant: Date | null | undefined): boolean =>
  instant !== null && instant !== undefined;
