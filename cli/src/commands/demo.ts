import { join } from 'node:path';
import type { GraphClient } from '../client/graph-client.ts';
import { filesOf, pushVersion } from '../client/push-version.ts';
import { demoFeatureView, demoModels, demoVectorIndex } from '../platform/demo-workspace.ts';
import {
  type DigitSample,
  imageInput,
  readDigitSamples,
  sketchOf,
} from '../platform/digit-samples.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { AddCommands, CommandContext } from './command.ts';

/** A tour that a newcomer can follow: each step says what it asks, asks the running platform, and shows the answer. */
export const addDemo =
  (modelsFolder: string): AddCommands =>
  (program, contextOf) => {
    program
      .command('demo')
      .description('a narrated tour of the graph: from a key to the lineage of a prediction')
      .action((_options, command) => demo(contextOf(command), modelsFolder));
  };

interface Tour {
  readonly client: GraphClient;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly modelsFolder: string;
  readonly sample: DigitSample;
}

async function demo(context: CommandContext, modelsFolder: string): Promise<void> {
  const { terminal, signal } = context;
  await using client = await context.connect();
  const [sample] = (await readDigitSamples(modelsFolder)).filter(({ label }) => label === 7);
  if (!sample) throw new Error('There is no sample of a seven');
  const tour: Tour = { client, terminal, signal, modelsFolder, sample };
  const keyId = await showKey(tour);
  const number = await showPush(tour);
  await showPromotion(tour, number);
  const vectorId = await showFeatures(tour);
  const predictionId = await showPrediction(tour, vectorId);
  await showNeighbours(tour);
  await showGeneration(tour);
  await showMetrics(tour);
  await showLineage(tour, predictionId);
  await tidy(tour, keyId);
}

async function showKey({ client, terminal }: Tour): Promise<string> {
  chapter(
    terminal,
    'A key',
    'Programs come with an API key. Its secret is shown once and stored nowhere.',
  );
  const { createApiKey } = await client.ask<{
    createApiKey: {
      secret: string;
      apiKey: { id: string; prefix: string; principal: { name: string } };
    };
  }>(
    `mutation { createApiKey(input: { name: "tour", expiresInDays: 1 }) {
      secret apiKey { id prefix principal { name } }
    } }`,
  );
  const { apiKey, secret } = createApiKey;
  fact(
    terminal,
    'key',
    `${apiKey.prefix}… (${secret.length} characters) for ${apiKey.principal.name}`,
  );
  return apiKey.id;
}

async function showPush({ client, terminal, modelsFolder }: Tour): Promise<number> {
  chapter(
    terminal,
    'Push a model',
    'Files go up once, by their digest. The registry reads the signature from the ONNX file itself.',
  );
  const digits = demoModels.find(({ name }) => name === 'digits');
  const pushed = await pushVersion(client, {
    name: 'digits',
    description: 'Pushed by the tour',
    files: await filesOf(join(modelsFolder, 'digits')),
    features: [{ name: demoFeatureView.name, version: 1 }],
    ...(digits ? { lineage: digits.lineage } : {}),
    onFile: ({ name, digest, size }) =>
      fact(terminal, 'file', `${name}, ${Math.round(size / 1024)} KiB, ${digest.slice(0, 23)}…`),
  });
  const { modelVersion } = await client.ask<{ modelVersion: { signature: Signature } }>(
    `query($id: ID!, $at: String!) { modelVersion(id: $id, consistency: { atLeast: $at }) {
      signature { inputs { name datatype shape } outputs { name datatype shape } }
    } }`,
    { id: pushed.id, at: pushed.position },
  );
  const { inputs, outputs } = modelVersion.signature;
  fact(terminal, 'version', `digits ${pushed.number}`);
  for (const spec of inputs) fact(terminal, 'takes', tensorText(spec));
  for (const spec of outputs) fact(terminal, 'gives', tensorText(spec));
  return pushed.number;
}

async function showPromotion({ client, terminal }: Tour, number: number): Promise<void> {
  chapter(
    terminal,
    'Promote it',
    'An alias moves; callers of `production` get the new version without a deploy.',
  );
  const { promoteVersion } = await client.ask<{
    promoteVersion: {
      previous: { number: number } | null;
      model: { history: { edges: readonly { node: HistoryEvent }[] } };
    };
  }>(
    `mutation($input: PromoteVersionInput!) { promoteVersion(input: $input) {
      previous { number }
      model { history(first: 100) { edges { node { sequence type by { name } at } } } }
    } }`,
    { input: { model: 'digits', number } },
  );
  const { previous, model } = promoteVersion;
  fact(terminal, 'production', `version ${previous?.number ?? 'none'} → version ${number}`);
  for (const { node } of model.history.edges.slice(-3))
    fact(terminal, `event ${node.sequence}`, `${node.type} by ${node.by.name} at ${node.at}`);
}

async function showFeatures({ client, terminal, sample }: Tour): Promise<string | undefined> {
  chapter(terminal, 'Features', 'The values of an entity now, and whether they are fresh.');
  const { onlineFeatures } = await client.ask<{
    onlineFeatures: readonly {
      id: string;
      values: readonly {
        name: string;
        value: { __typename: string; value?: unknown; ageMs?: number };
      }[];
    }[];
  }>(
    `query($view: String!, $entities: [JSON!]!) {
      onlineFeatures(view: $view, entities: $entities, fields: ["ink", "label"]) {
        id values { name value { __typename ... on FreshValue { value ageMs } ... on StaleValue { value ageMs } } }
      }
    }`,
    { view: demoFeatureView.name, entities: [{ image: sample.id }] },
  );
  const [vector] = onlineFeatures;
  for (const { name, value } of vector?.values ?? [])
    fact(
      terminal,
      name,
      `${JSON.stringify(value.value)} (${value.__typename}, ${value.ageMs} ms old)`,
    );
  return vector?.id;
}

async function showPrediction(
  { client, terminal, sample }: Tour,
  vectorId: string | undefined,
): Promise<string> {
  chapter(
    terminal,
    'Predict',
    'Eight callers ask at once. The runtime puts them into fewer executions; each gets its own answer.',
  );
  drawDigit(terminal, sample);
  const ask = () =>
    client.ask<{ predict: PredictionAnswer }>(predictMutation, {
      input: {
        model: 'digits',
        inputs: [imageInput(sample)],
        features: vectorId ? [vectorId] : [],
      },
    });
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  const predictions = answers.map(({ predict }) => predict);
  const executions = new Set(predictions.map(({ batch }) => batch.executionId)).size;
  const [first] = predictions;
  if (!first) throw new Error('Nobody answered');
  const scores = first.outputs.find(({ name }) => name === 'probabilities')?.data ?? [];
  const best = scores.indexOf(Math.max(...scores));
  fact(
    terminal,
    'answer',
    `${best} (${((scores[best] ?? 0) * 100).toFixed(1)} %), meant was ${sample.label}`,
  );
  fact(terminal, 'batching', `8 requests in ${executions} execution${executions === 1 ? '' : 's'}`);
  fact(
    terminal,
    'time',
    `${first.timing.queueMs.toFixed(1)} ms queued, ${first.timing.computeMs.toFixed(1)} ms computed`,
  );
  return first.id;
}

async function showNeighbours({ client, terminal, sample }: Tour): Promise<void> {
  chapter(
    terminal,
    'Nearest neighbours',
    'The same digit as a vector: which stored ones look like it?',
  );
  const { nearest } = await client.ask<{
    nearest: readonly { key: string; distance: number; metadata: { label?: number } }[];
  }>(
    `query($index: String!, $vector: [Float!]!) {
      nearest(index: $index, vector: $vector, k: 4) { key distance metadata }
    }`,
    { index: demoVectorIndex.name, vector: sketchOf(sample) },
  );
  for (const { key, distance, metadata } of nearest)
    fact(terminal, key, `the digit ${metadata.label}, distance ${distance.toFixed(3)}`);
}

async function showGeneration({ client, terminal, signal }: Tour): Promise<void> {
  chapter(
    terminal,
    'Generate',
    'A language model trained for this project continues a tale. Each token is sent as it is computed.',
  );
  const prompt = 'Once upon a time there was a miller who';
  const began = performance.now();
  let first: number | undefined;
  let tokens = 0;
  terminal.write(`    ${terminal.paint.dim(prompt)}`);
  const events = client.follow<{
    generate: { text: string; usage: { completionTokens: number } | null };
  }>(
    `subscription($input: GenerateInput!) { generate(input: $input) { text usage { completionTokens } } }`,
    { input: { model: 'storyteller', prompt, maxTokens: 60, seed: 7 } },
    signal,
  );
  for await (const { generate } of events) {
    first ??= performance.now() - began;
    tokens = generate.usage?.completionTokens ?? tokens;
    terminal.write(generate.text.replaceAll('\n', ' '));
  }
  terminal.line();
  const seconds = (performance.now() - began) / 1_000;
  fact(
    terminal,
    'tokens',
    `${tokens} in ${seconds.toFixed(2)} s, the first after ${first?.toFixed(0)} ms`,
  );
}

async function showMetrics({ client, terminal }: Tour): Promise<void> {
  chapter(terminal, 'Metrics', 'Analytics counted all of that from events.');
  const { serving } = await retryUntil(
    () =>
      client.ask<{ serving: { edges: readonly { node: ServingRow }[] } }>(
        `{ serving(window: { last: "5m" }) { edges { node {
          modelVersion { number model { name } }
          metrics { requests errorRate p50Ms p95Ms meanBatchSize completionTokens }
        } } } }`,
      ),
    (answer) => answer.serving.edges.length >= 2,
  );
  for (const { node } of serving.edges) {
    const { modelVersion, metrics } = node;
    const name = `${modelVersion.model.name} ${modelVersion.number}`;
    const latency = `p50 ${metrics.p50Ms?.toFixed(1)} ms, p95 ${metrics.p95Ms?.toFixed(1)} ms`;
    const extra = metrics.completionTokens
      ? `${metrics.completionTokens} tokens`
      : `${metrics.meanBatchSize?.toFixed(1)} rows an execution`;
    fact(terminal, name, `${metrics.requests} requests, ${latency}, ${extra}`);
  }
}

async function showLineage({ client, terminal }: Tour, id: string): Promise<void> {
  chapter(
    terminal,
    'Lineage',
    'One query, five subgraphs: from a prediction to the model, its owner, its data, its features and its figures.',
  );
  const { prediction } = await client.ask<{ prediction: object }>(lineageQuery, { id });
  for (const line of JSON.stringify(prediction, null, 2).split('\n')) terminal.line(`    ${line}`);
}

async function tidy({ client, terminal }: Tour, keyId: string): Promise<void> {
  await client.ask(
    'mutation($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { revokedAt } } }',
    { id: keyId },
  );
  terminal.line();
  terminal.line(`  The tour's key is revoked again. Go on in the explorer: ${client.url}/explorer`);
}

export const lineageQuery = /* GraphQL */ `
  query Lineage($id: ID!) {
    prediction(id: $id) {
      timing { queueMs computeMs }
      batch { size reason }
      requestedBy { name }
      features { view { name version } values { name value { __typename } } }
      modelVersion {
        number
        model { name owner { name roles } }
        lineage { codeRef datasets { name } }
        features { name version fields { name type } }
        serving { state }
        metrics(window: { last: "15m" }) { requests p95Ms errorRate }
      }
    }
  }
`;

const predictMutation = /* GraphQL */ `
  mutation Predict($input: PredictInput!) {
    predict(input: $input) {
      id outputs { name data } timing { queueMs computeMs } batch { size executionId }
    }
  }
`;

interface Signature {
  readonly inputs: readonly Spec[];
  readonly outputs: readonly Spec[];
}

interface Spec {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
}

interface HistoryEvent {
  readonly sequence: number;
  readonly type: string;
  readonly at: string;
  readonly by: { readonly name: string };
}

interface PredictionAnswer {
  readonly id: string;
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
  readonly timing: { readonly queueMs: number; readonly computeMs: number };
  readonly batch: { readonly size: number; readonly executionId: string };
}

interface ServingRow {
  readonly modelVersion: { readonly number: number; readonly model: { readonly name: string } };
  readonly metrics: {
    readonly requests: number;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly meanBatchSize: number | null;
    readonly completionTokens: number;
  };
}

function chapter(terminal: Terminal, title: string, text: string): void {
  terminal.line();
  terminal.line(`  ${terminal.paint.bold(title)}`);
  terminal.line(`  ${terminal.paint.dim(text)}`);
}

function fact(terminal: Terminal, name: string, text: string): void {
  terminal.line(`    ${terminal.paint.cyan(name.padEnd(14))} ${text}`);
}

const tensorText = ({ name, datatype, shape }: Spec): string =>
  `${name} ${datatype} [${shape.join(', ')}]`;

function drawDigit(terminal: Terminal, { pixels }: DigitSample): void {
  const ink = ' .:-=+*#%@';
  for (let row = 4; row < 26; row += 2) {
    const line = Array.from({ length: 28 }, (_unused, column) => {
      const value = Math.max(pixels[row * 28 + column] ?? 0, pixels[(row + 1) * 28 + column] ?? 0);
      return ink[Math.min(ink.length - 1, Math.floor(value * ink.length))];
    });
    terminal.line(`      ${line.join('')}`);
  }
}

/** Facts reach analytics a moment after the answer: asks again until they are there, for 5 s at most. */
async function retryUntil<Answer>(
  ask: () => Promise<Answer>,
  isThere: (answer: Answer) => boolean,
): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (isThere(answer) || attempt >= 25) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
