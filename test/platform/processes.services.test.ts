import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GraphClient, graphClient } from '@opea/cli/client';
import { readDigitSamples } from '@opea/cli/platform';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelsFolder, serveBabbler, serveDigits } from '../kit/models.ts';
import { predictDigit } from '../kit/predictions.ts';
import { type Processes, startProcesses } from '../kit/processes.ts';
import { until } from '../kit/until.ts';

let folder: string;
let processes: Processes;
let client: GraphClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opea-processes-'));
  processes = await startProcesses(folder);
  client = graphClient(processes);
  await serveDigits(client);
  await serveBabbler(client);
}, 180_000);
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await processes?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('seven processes answer one query through four of the subgraphs', async () => {
  const [sample] = await readDigitSamples(modelsFolder);
  if (!sample) throw new Error('There is no sample');
  const { id } = await until(
    () => predictDigit(client, sample).catch(() => undefined),
    (prediction) => prediction !== undefined,
    { withinMs: 30_000, everyMs: 200 },
  ).then((prediction) => prediction ?? { id: '' });

  const { prediction } = await until(
    () => client.ask<Answer>(lineage, { id }),
    (answer) => answer.prediction.modelVersion.metrics.requests > 0,
  );

  expect(prediction.modelVersion.model).toEqual({ name: 'digits', owner: { name: 'admin' } });
});

test('tokens stream through them, each joined with its model', async () => {
  const names: string[] = [];
  const input = { model: 'babbler', prompt: 'the', maxTokens: 8 };
  for await (const { generate } of client.follow<Chunk>(
    'subscription($input: GenerateInput!) { generate(input: $input) { modelVersion { model { name } } } }',
    { input },
    AbortSignal.timeout(30_000),
  ))
    names.push(generate.modelVersion.model.name);

  expect(names.length).toBeGreaterThan(8);
  expect(new Set(names)).toEqual(new Set(['babbler']));
});

test('when one is gone the rest of the graph still answers', async () => {
  await processes.kill('analytics');

  const { models } = await client.ask<{ models: { totalCount: number } }>(
    '{ models { totalCount } }',
  );
  const failing = client.ask('{ serving(window: { last: "5m" }) { edges { cursor } } }');

  expect(models.totalCount).toBe(2);
  await expect(failing).rejects.not.toThrow(/127\.0\.0\.1|ECONNREFUSED|analytics/);
});

interface Answer {
  readonly prediction: {
    readonly modelVersion: {
      readonly model: { readonly name: string; readonly owner: { readonly name: string } };
      readonly metrics: { readonly requests: number };
    };
  };
}

interface Chunk {
  readonly generate: { readonly modelVersion: { readonly model: { readonly name: string } } };
}

const lineage = /* GraphQL */ `
  query ($id: ID!) {
    prediction(id: $id) {
      modelVersion {
        model { name owner { name } }
        metrics(window: { last: "5m" }) { requests }
      }
    }
  }
`;
