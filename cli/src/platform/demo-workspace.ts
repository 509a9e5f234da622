import { join } from 'node:path';
import type { GraphClient } from '../client/graph-client.ts';
import { filesOf, pushVersion } from '../client/push-version.ts';
import { type DigitSample, inkOf, readDigitSamples, sketchOf } from './digit-samples.ts';
import type { Progress } from './progress.ts';

/** What a newcomer finds: two trained models in service, a feature view with values, an index of vectors. */
export async function seedDemoWorkspace(options: {
  readonly client: GraphClient;
  readonly modelsFolder: string;
  readonly progress: Progress;
}): Promise<void> {
  const { client, modelsFolder, progress } = options;
  const samples = await readDigitSamples(modelsFolder);
  await progress.step('Storing features of handwritten digits', () =>
    seedFeatures(client, samples),
  );
  for (const model of demoModels)
    await progress.step(`Publishing ${model.name}`, () => seedModel(client, modelsFolder, model));
}

export const demoFeatureView = {
  name: 'digit_image',
  description: 'What can be measured of the image of a handwritten digit.',
  entities: ['image'],
  fields: [
    { name: 'ink', type: 'FLOAT', description: 'Mean of the pixels: 0 is paper, 1 is ink.' },
    { name: 'label', type: 'INT', description: 'The digit that was meant.' },
    { name: 'sketch', type: 'VECTOR', description: 'The image in 7 × 7 cells.' },
  ],
};

export const demoVectorIndex = { name: 'digit_sketches', dimensions: 49, metric: 'COSINE' };

interface DemoModel {
  readonly name: string;
  readonly description: string;
  readonly features: readonly { readonly name: string; readonly version: number }[];
  readonly lineage: object;
}

export const demoModels: readonly DemoModel[] = [
  {
    name: 'digits',
    description: 'Reads a handwritten digit. See its card in inference-runtime/models/digits.',
    features: [{ name: demoFeatureView.name, version: 1 }],
    lineage: {
      codeRef: 'inference-runtime/models/digits/train.py',
      datasets: [{ name: 'MNIST, handwritten digits' }],
    },
  },
  {
    name: 'storyteller',
    description: 'Continues a tale. See its card in inference-runtime/models/storyteller.',
    features: [],
    lineage: {
      codeRef: 'inference-runtime/models/storyteller/train.py',
      datasets: [{ name: 'Public-domain fairy tales of Project Gutenberg' }],
    },
  },
];

async function seedFeatures(client: GraphClient, samples: readonly DigitSample[]): Promise<void> {
  await client.ask(applyView, { input: demoFeatureView });
  await client.ask(writeRows, {
    input: {
      view: demoFeatureView.name,
      rows: samples.map((sample) => ({
        entity: { image: sample.id },
        values: { ink: inkOf(sample), label: sample.label, sketch: sketchOf(sample) },
      })),
    },
  });
  await client.ask(createIndex, { input: demoVectorIndex });
  await client.ask(upsertVectors, {
    input: {
      index: demoVectorIndex.name,
      vectors: samples.map((sample) => ({
        key: sample.id,
        vector: sketchOf(sample),
        metadata: { label: sample.label },
      })),
    },
  });
}

async function seedModel(
  client: GraphClient,
  modelsFolder: string,
  model: DemoModel,
): Promise<void> {
  if (await isServed(client, model.name)) return;
  const { number } = await pushVersion(client, {
    ...model,
    files: await filesOf(join(modelsFolder, model.name)),
  });
  await client.ask(promote, { input: { model: model.name, number } });
}

async function isServed(client: GraphClient, name: string): Promise<boolean> {
  const { model } = await client.ask<{ model: { alias: object | null } | null }>(
    'query Served($name: String!) { model(name: $name) { alias { number } } }',
    { name },
  );
  return Boolean(model?.alias);
}

const applyView = /* GraphQL */ `
  mutation ApplyView($input: ApplyFeatureViewInput!) { applyFeatureView(input: $input) { position } }
`;
const writeRows = /* GraphQL */ `
  mutation WriteRows($input: WriteFeaturesInput!) { writeFeatures(input: $input) { written } }
`;
const createIndex = /* GraphQL */ `
  mutation CreateIndex($input: CreateVectorIndexInput!) { createVectorIndex(input: $input) { position } }
`;
const upsertVectors = /* GraphQL */ `
  mutation UpsertVectors($input: UpsertVectorsInput!) { upsertVectors(input: $input) { upserted } }
`;
const promote = /* GraphQL */ `
  mutation Promote($input: PromoteVersionInput!) { promoteVersion(input: $input) { position } }
`;
