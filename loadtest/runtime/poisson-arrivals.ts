/** Calls `arrive` at random times, open loop: an arrival never waits for an earlier answer. Resolves with the time it all took, ms. */
export async function poissonArrivals(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  arrive: () => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const under: Promise<void>[] = [];
  let next = startedAt;
  while (next < until) {
    const wait = next - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    while (next <= performance.now() && next < until) {
      under.push(arrive());
      next += (-Math.log(1 - Math.random()) / perSecond) * 1_000;
    }
  }
  await Promise.all(under);
  return performance.now() - startedAt;
}
