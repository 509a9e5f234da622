import { type DigitSample, inkOf, readDigitSamples } from '@opea/cli/platform';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelsFolder, serveBabbler, serveDigits } from '../kit/models.ts';
import { type Predicted, predictDigit } from '../kit/predictions.ts';
import type { RunningPlatform } from '../kit/running-platform.ts';
import { until } from '../kit/until.ts';

/** What the platform promises as a whole, whatever it stands on. */
export function onePlatform(open: () => Promise<RunningPlatform>): void {
  let platform: RunningPlatform;
  let samples: readonly DigitSample[];

  beforeAll(async () => {
    platform = await open();
    samples = await readDigitSamples(modelsFolder);
    await applyImageView(platform, first(samples));
    await serveDigits(platform.client);
    await serveBabbler(platform.client);
  });
  afterAll(() => platform[Symbol.asyncDispose]());

  describe('one query', () => {
    test('leads from a prediction through all five subgraphs', async () => {
      const { client } = platform;
      const { onlineFeatures } = await client.ask<{ onlineFeatures: readonly { id: string }[] }>(
        'query($e: [JSON!]!) { onlineFeatures(view: "digit_image", entities: $e) { id } }',
        { e: [{ image: 'digit-0' }] },
      );
      const features = onlineFeatures.map(({ id }) => id);
      const { id } = await predictDigit(client, first(samples), features);

      const { prediction } = await until(
        () => client.ask<{ prediction: Lineage }>(lineage, { id }),
        (answer) => answer.prediction.modelVersion.metrics.requests > 0,
      );

      expect(prediction).toMatchObject({
        requestedBy: { name: 'you' },
        features: [{ view: { name: 'digit_image', version: 1 } }],
        modelVersion: {
          number: 1,
          model: { name: 'digits', owner: { name: 'you' } },
          serving: { state: 'READY' },
          metrics: { errorRate: 0 },
        },
      });
    });
  });

  describe('predictions', () => {
    test('64 callers share executions and get the answers they would get alone', async () => {
      const { client } = platform;
      const images = Array.from({ length: 64 }, (_unused, index) =>
        first(samples.slice(index % samples.length)),
      );
      const alone: Predicted[] = [];
      for (const image of samples) alone.push(await predictDigit(client, image));

      const together = await Promise.all(images.map((image) => predictDigit(client, image)));

      expect(new Set(together.map(({ batch }) => batch.executionId)).size).toBeLessThan(64);
      for (const [index, { outputs }] of together.entries())
        expectClose(outputs, alone[index % samples.length]?.outputs ?? []);
    });

    test('a wrong input is refused by name', async () => {
      const ask = platform.client.ask(
        'mutation($input: PredictInput!) { predict(input: $input) { id } }',
        {
          input: {
            model: 'digits',
            inputs: [{ name: 'picture', datatype: 'FP32', shape: [1], data: [1] }],
          },
        },
      );

      await expect(ask).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      await expect(ask).rejects.toThrow('picture');
    });
  });

  describe('a token stream', () => {
    const stream = /* GraphQL */ `
    subscription ($input: GenerateInput!) {
      generate(input: $input) {
        index text finishReason
        generation { id }
        modelVersion { number model { name } }
      }
    }
  `;

    test('carries the model of every token, joined from the registry', async () => {
      const input = { model: 'babbler', prompt: 'the cat', maxTokens: 12, seed: 3 };
      const chunks: Chunk[] = [];
      for await (const { generate } of platform.client.follow<{ generate: Chunk }>(
        stream,
        { input },
        AbortSignal.timeout(30_000),
      ))
        chunks.push(generate);

      expect(chunks.map(({ index }) => index)).toEqual(chunks.map((_unused, index) => index));
      expect(chunks.at(-1)?.finishReason).toBe('LENGTH');
      for (const { modelVersion } of chunks)
        expect(modelVersion).toEqual({ number: 1, model: { name: 'babbler' } });
    });

    test('arrives while the rest is still being computed', async () => {
      const { client } = platform;
      const input = { model: 'babbler', prompt: 'the cat', maxTokens: 400, seed: 4 };
      const signal = AbortSignal.timeout(30_000);
      const events = client.follow<{ generate: Chunk }>(stream, { input }, signal);
      const chunks = events[Symbol.asyncIterator]();

      const { value } = await chunks.next();
      const { generation } = await client.ask<{ generation: { state: string } }>(
        'query($id: ID!) { generation(id: $id) { state } }',
        { id: value?.generate.generation.id },
      );

      expect(generation.state).toBe('RUNNING');
      await chunks.return?.();
    });

    test('that nobody wants any more frees its slot within 250 ms', async () => {
      const { client } = platform;
      const input = {
        model: 'babbler',
        prompt: 'the cat',
        maxTokens: 450,
        temperature: 1,
        seed: 5,
      };
      const leaving = new AbortController();
      const chunks = client.follow<{ generate: Chunk }>(stream, { input }, leaving.signal);
      let id = '';
      let left = 0;
      for await (const { generate } of chunks) {
        id = generate.generation.id;
        if (generate.index === 2) {
          left = performance.now();
          leaving.abort();
        }
      }

      const { generation } = await until(
        () =>
          client.ask<{ generation: { state: string; finishReason: string } }>(
            'query($id: ID!) { generation(id: $id) { state finishReason } }',
            { id },
          ),
        (answer) => answer.generation.state === 'FINISHED',
        { withinMs: 2_000, everyMs: 5 },
      );

      expect(generation.finishReason).toBe('CANCELLED');
      expect(performance.now() - left).toBeLessThan(250);
    });

    test('says the same words alone and among others', async () => {
      const prompts = ['the cat', 'once upon', 'a', 'in the beginning there was', 'she', 'xyzzy'];
      const alone: string[] = [];
      for (const [seed, prompt] of prompts.entries()) alone.push(await tell(prompt, seed));

      const together = await Promise.all(prompts.map((prompt, seed) => tell(prompt, seed)));

      expect(together).toEqual(alone);
    });

    async function tell(prompt: string, seed: number): Promise<string> {
      const { generate: generation } = await platform.client.ask<{ generate: { text: string } }>(
        'mutation($input: GenerateInput!) { generate(input: $input) { text } }',
        { input: { model: 'babbler', prompt, maxTokens: 40, seed } },
      );
      return generation.text;
    }
  });
}

interface Lineage {
  readonly modelVersion: { readonly metrics: { readonly requests: number } };
}

interface Chunk {
  readonly index: number;
  readonly text: string;
  readonly finishReason: string | null;
  readonly generation: { readonly id: string };
  readonly modelVersion: { readonly number: number; readonly model: { readonly name: string } };
}

const lineage = /* GraphQL */ `
  query ($id: ID!) {
    prediction(id: $id) {
      requestedBy { name }
      features { view { name version } }
      modelVersion {
        number
        model { name owner { name } }
        serving { state }
        metrics(window: { last: "5m" }) { requests errorRate }
      }
    }
  }
`;

async function applyImageView({ client }: RunningPlatform, sample: DigitSample): Promise<void> {
  await client.ask(
    'mutation($input: ApplyFeatureViewInput!) { applyFeatureView(input: $input) { position } }',
    {
      input: {
        name: 'digit_image',
        entities: ['image'],
        fields: [{ name: 'ink', type: 'FLOAT' }],
      },
    },
  );
  await client.ask(
    'mutation($input: WriteFeaturesInput!) { writeFeatures(input: $input) { written } }',
    {
      input: {
        view: 'digit_image',
        rows: [{ entity: { image: 'digit-0' }, values: { ink: inkOf(sample) } }],
      },
    },
  );
}

function first(of: readonly DigitSample[]): DigitSample {
  const [sample] = of;
  if (!sample) throw new Error('There is no sample');
  return sample;
}

function expectClose(actual: Predicted['outputs'], expected: Predicted['outputs']): void {
  expect(actual.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  for (const [index, { data }] of actual.entries())
    for (const [at, value] of data.entries())
      expect(value).toBeCloseTo(expected[index]?.data[at] ?? Number.NaN, 4);
}
