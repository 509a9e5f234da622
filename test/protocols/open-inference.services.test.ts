import { fileURLToPath } from 'node:url';
import { readDigitSamples } from '@opea/cli/platform';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelsFolder, serveDigits } from '../kit/models.ts';
import { predictDigit } from '../kit/predictions.ts';
import { pythonWith, run } from '../kit/python.ts';
import { startTestPlatform } from '../kit/running-platform.ts';
import { until } from '../kit/until.ts';

const script = fileURLToPath(new URL('./triton_client.py', import.meta.url));

interface Outputs {
  readonly [name: string]: readonly number[];
}

interface Seen {
  readonly metadata: { readonly outputs: readonly { readonly name: string }[] };
  readonly binary: { readonly outputs: Outputs };
  readonly json: { readonly outputs: Outputs };
  readonly mixed: { readonly outputs: Outputs };
  readonly all: Outputs;
}

let python = '';

beforeAll(async () => {
  python = await pythonWith('tritonclient', ['tritonclient[http]==2.*']);
}, 400_000);

describe('the unmodified tritonclient from PyPI', () => {
  it('finds the server, its models and their answers, and reads its refusals', async () => {
    await using platform = await startTestPlatform();
    await serveDigits(platform.client);
    const [sample] = await readDigitSamples(modelsFolder);
    if (!sample) throw new Error('There are no samples');
    // Promotion loads the version: nothing is asked of it before it is there.
    await until(
      () =>
        fetch(`${platform.url}/v2/models/digits/ready`, {
          headers: { authorization: `Bearer ${platform.apiKey}` },
        }),
      ({ status }) => status === 200,
      { withinMs: 60_000 },
    );
    const predicted = await predictDigit(platform.client, sample);
    const input = JSON.stringify({
      host: new URL(platform.url).host,
      apiKey: platform.apiKey,
      pixels: sample.pixels,
    });
    const seen: Seen = JSON.parse(await run(python, [script], { input }));

    expect(seen).toMatchObject({
      live: true,
      ready: true,
      server: { name: 'opea-graph' },
      metadata: { name: 'digits', versions: ['1'] },
      modelReady: true,
      strangerReady: false,
      index: [{ name: 'digits', version: '1', state: 'READY' }],
      binary: { id: 'mine', version: '1' },
      noKey: { status: '401' },
      noModel: { status: '404', message: expect.stringContaining('nobody') },
      load: { status: '501' },
    });
    for (const { outputs } of [seen.binary, seen.json, seen.mixed, { outputs: seen.all }])
      for (const { name, data } of predicted.outputs)
        expect(outputs[name]?.map(Math.fround)).toEqual(data.map(Math.fround));
  });
});
