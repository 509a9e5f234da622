import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuUsage, stdout } from 'node:process';
import type { Generator } from '@opea/inference-runtime/generation';
import { benchArguments, openBenchModel } from './bench-model.ts';
import { type Answer, keepBusy, median, quantile, read, type Work, workload } from './workload.ts';

/**
 * What continuous batching is worth: the same requests one by one, in static batches of 16 that wait for their longest, and with
 * 16 streams kept busy. Rounds alternate, medians are compared, and the answers must be the same.
 *
 *   npx tsx --conditions=source loadtest/generation/continuous-batching.ts [--model <folder>] [--weights int8] [--threads 2]
 */
const streams = 16;
const args = benchArguments();
const work = workload(args.requests, 48);

await using model = await openBenchModel(args, { slots: streams, prefixCacheBytes: 0 });
const { generator } = model;
await keepBusy(work.slice(0, streams), streams, (one) => read(generator, one));

interface Round {
  readonly tokensPerSecond: number;
  /** Tokens per second of processor time, all threads: comparable on a machine that is busy with other things. */
  readonly tokensPerCpuSecond: number;
  readonly answers: readonly Answer[];
  /** Share of the wall time inside the model. */
  readonly modelShare: number;
  readonly meanRows: number;
  readonly lagP99Ms: number;
}

const modes: Readonly<Record<string, () => Promise<Answer[]>>> = {
  'one by one': () => keepBusy(work, 1, (one) => read(generator, one)),
  'static batches': async () => {
    const answers: Answer[] = [];
    for (let start = 0; start < work.length; start += streams)
      answers.push(...(await together(work.slice(start, start + streams))));
    return answers;
  },
  continuous: () => keepBusy(work, streams, (one) => read(generator, one)),
};

const rounds: Record<string, Round[]> = {};
for (let round = 0; round < args.rounds; round++)
  for (const [mode, run] of Object.entries(modes))
    (rounds[mode] ??= []).push(await measure(generator, run));

for (const [mode, done] of Object.entries(rounds)) {
  const gaps = done.flatMap(({ answers }) => answers.flatMap((answer) => answer.gaps));
  const first = done.flatMap(({ answers }) => answers.map((answer) => answer.timeToFirstTokenMs));
  print(
    `${mode.padEnd(14)} ${rate(mode).toFixed(0).padStart(6)} tokens/s   ` +
      `${cpuRate(mode).toFixed(0)} a CPU second   ` +
      `in the model ${(100 * median(done.map(({ modelShare }) => modelShare))).toFixed(1)} %   ` +
      `rows a step ${median(done.map(({ meanRows }) => meanRows)).toFixed(1)}   ` +
      `gap median ${median(gaps).toFixed(1)} p99 ${quantile(gaps, 0.99).toFixed(1)} ms   ` +
      `first token median ${median(first).toFixed(0)} ms   ` +
      `loop lag p99 ${Math.max(...done.map(({ lagP99Ms }) => lagP99Ms)).toFixed(1)} ms`,
  );
}
for (const other of ['one by one', 'static batches'])
  print(
    `continuous / ${other.padEnd(14)} ${(rate('continuous') / rate(other)).toFixed(2)}   ` +
      `by processor time ${(cpuRate('continuous') / cpuRate(other)).toFixed(2)}`,
  );
const texts = Object.values(rounds).flatMap((done) =>
  done.map(({ answers }) => JSON.stringify(answers.map(({ text }) => text))),
);
print(`answers identical in all modes and rounds: ${new Set(texts).size === 1 ? 'yes' : 'NO'}`);

async function measure(target: Generator, run: () => Promise<Answer[]>): Promise<Round> {
  const before = target.stats();
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  const start = performance.now();
  const cpu = cpuUsage();
  const answers = await run();
  const wallMs = performance.now() - start;
  const { user, system } = cpuUsage(cpu);
  lag.disable();
  const after = target.stats();
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  return {
    answers,
    tokensPerSecond: (1000 * tokens) / wallMs,
    tokensPerCpuSecond: (1e6 * tokens) / (user + system),
    modelShare: (after.modelMs - before.modelMs) / wallMs,
    meanRows: tokens / (after.steps - before.steps),
    lagP99Ms: lag.percentile(99) / 1e6 - 5,
  };
}

/** A static batch: it starts together, and the next waits for its longest answer. */
function together(batch: readonly Work[]): Promise<Answer[]> {
  return Promise.all(batch.map((one) => read(generator, one)));
}

function rate(mode: string): number {
  return median((rounds[mode] ?? []).map(({ tokensPerSecond }) => tokensPerSecond));
}

function cpuRate(mode: string): number {
  return median((rounds[mode] ?? []).map(({ tokensPerCpuSecond }) => tokensPerCpuSecond));
}

function print(line: string): void {
  stdout.write(`${line}\n`);
}
