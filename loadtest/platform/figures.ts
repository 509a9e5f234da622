/**
 * The platform's own figures, end to end through the router of a built `opea up`: time to ready, a query through five
 * subgraphs, token streams alone and together, and the event loop that serves the graph meanwhile.
 *
 *     npm run build && npx tsx --conditions=source loadtest/platform/figures.ts [--json]
 *
 * Takes about a minute. Talks to loopback only, ends what it starts, and removes its data.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type GraphClient, graphClient } from '@opea/cli/client';
import { imageInput, readDigitSamples } from '@opea/cli/platform';
import { modelsFolder, startBuilt } from './built-platform.ts';
import { lineage, stream } from './operations.ts';
import { quantilesOf } from './quantiles.ts';

const folder = await mkdtemp(join(tmpdir(), 'opea-figures-'));
try {
  const figures = await measure(folder);
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  else for (const [name, text] of figures) process.stdout.write(`${name.padEnd(52)} ${text}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

type Figure = readonly [name: string, text: string];

async function measure(data: string): Promise<readonly Figure[]> {
  const first = await startBuilt(data);
  await first.stop();
  await using platform = await startBuilt(data);
  await using client = graphClient(platform);
  await platform.eventLoopLag();
  const query = await fiveSubgraphQuery(client);
  const alone = await tokenRate(client, 1);
  const together = await tokenRate(client, 16);
  const loop = await platform.eventLoopLag();
  return [
    ['time to ready, first start with demo workspace', seconds(first.readyMs)],
    ['time to ready, second start', seconds(platform.readyMs)],
    ['five-subgraph query, p50', milliseconds(query.p50)],
    ['five-subgraph query, p95', milliseconds(query.p95)],
    ['tokens/s, one stream', alone.toFixed(0)],
    ['tokens/s, 16 streams together', together.toFixed(0)],
    ['16 streams against one', `${(together / alone).toFixed(2)} ×`],
    ['event loop lag while measuring, p99', milliseconds(loop.p99Ms)],
    ['memory of the process', `${loop.residentMiB.toFixed(0)} MiB`],
  ];
}

/** One caller at a time. */
async function fiveSubgraphQuery(client: GraphClient): Promise<{ p50: number; p95: number }> {
  const [sample] = await readDigitSamples(modelsFolder);
  if (!sample) throw new Error('There is no sample');
  const { onlineFeatures } = await client.ask<{ onlineFeatures: readonly { id: string }[] }>(
    '{ onlineFeatures(view: "digit_image", entities: [{ image: "digit-0" }]) { id } }',
  );
  const input = {
    model: 'digits',
    inputs: [imageInput(sample)],
    features: onlineFeatures.map(({ id }) => id),
  };
  const { predict } = await client.ask<{ predict: { id: string } }>(
    'mutation($input: PredictInput!) { predict(input: $input) { id } }',
    { input },
  );
  const samples: number[] = [];
  for (let n = 0; n < 320; n += 1) {
    const began = performance.now();
    await client.ask(lineage, { id: predict.id });
    if (n >= 20) samples.push(performance.now() - began);
  }
  const { p50, p95 } = quantilesOf(samples);
  return { p50, p95 };
}

/** Tokens a second over all streams, from the first request to the last token. */
async function tokenRate(client: GraphClient, streams: number): Promise<number> {
  const run = () =>
    Promise.all(Array.from({ length: streams }, (_unused, seed) => tokensOf(client, seed)));
  await run();
  const began = performance.now();
  const tokens = (await run()).reduce((sum, count) => sum + count, 0);
  return tokens / ((performance.now() - began) / 1_000);
}

async function tokensOf(client: GraphClient, seed: number): Promise<number> {
  const input = { model: 'storyteller', prompt: 'Once upon a time', maxTokens: 200, seed };
  let tokens = 0;
  const events = client.follow<{ generate: { usage: { completionTokens: number } | null } }>(
    stream,
    { input },
    AbortSignal.timeout(120_000),
  );
  for await (const { generate } of events) tokens = generate.usage?.completionTokens ?? tokens;
  return tokens;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}
