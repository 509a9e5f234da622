import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Measures how late the event loop of this process is while `work` runs, ms. */
export async function withLoopLag<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly lag: { p50: number; p99: number; max: number } }> {
  const resolution = 1;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  const result = await work();
  histogram.disable();
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  return {
    result,
    lag: {
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      max: ms(histogram.max),
    },
  };
}
