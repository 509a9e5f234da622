/** The value below which a share of the samples lies; 0 ≤ share ≤ 1. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line of a report: a name and its figures. */
export function row(name: string, figures: Readonly<Record<string, number | string>>): void {
  const parts = Object.entries(figures).map(
    ([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`,
  );
  print(`${name.padEnd(34)} ${parts.join('  ')}`);
}

/** Whether a claim held, printed and counted. */
export function verdict(claim: string, held: boolean): void {
  print(`${held ? 'PASS' : 'FAIL'}  ${claim}`);
  if (!held) process.exitCode = 1;
}
