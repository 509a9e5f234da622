import { type DigitSample, readDigitSamples } from '@opea/cli/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelsFolder, serveBabbler, serveDigits } from '../kit/models.ts';
import { predictDigit } from '../kit/predictions.ts';
import { type RunningPlatform, startTestPlatform } from '../kit/running-platform.ts';
import { until } from '../kit/until.ts';

let platform: RunningPlatform;
let sample: DigitSample;

beforeAll(async () => {
  platform = await startTestPlatform();
  await serveDigits(platform.client);
  await serveBabbler(platform.client);
  const [first] = await readDigitSamples(modelsFolder);
  if (!first) throw new Error('There are no samples');
  sample = first;
  // Promotion loads a version; what follows asks about the one that is there.
  for (const model of ['digits', 'babbler'])
    await until(
      () => ask(`/models/${model}/ready`),
      ({ status }) => status === 200,
      { withinMs: 60_000 },
    );
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

/** What of the protocol's documents these tests read. */
interface Answered {
  readonly text_output: string;
  readonly error: string;
  readonly parameters: { readonly prediction_id: string };
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
}

async function jsonOf(response: Response): Promise<Answered> {
  return JSON.parse(await response.text());
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Response> {
  return fetch(`${platform.url}/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${platform.apiKey}`, ...headers },
    ...(body !== undefined && { body }),
  });
}

const postJson = (path: string, body: unknown) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const shape = [1, 1, 28, 28];
const image = () => ({ name: 'image', datatype: 'FP32', shape, data: sample.pixels });

/** An inference request as `tritonclient` sends it: JSON, and the tensors behind it as they lie in memory. */
function postBinary(path: string, header: object, tail: Uint8Array): Promise<Response> {
  const json = Buffer.from(JSON.stringify(header));
  return ask(path, {
    method: 'POST',
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, tail]),
  });
}

const pixelBytes = () => new Uint8Array(Float32Array.from(sample.pixels).buffer);
const binaryImage = (size: number) => ({
  name: 'image',
  datatype: 'FP32',
  shape,
  parameters: { binary_data_size: size },
});

describe('the Open Inference Protocol', () => {
  it('tells that the server is alive and ready without a credential', async () => {
    for (const path of ['/v2/health/live', '/v2/health/ready'])
      expect((await fetch(platform.url + path)).status).toBe(200);
  });

  it('describes the server and its extensions', async () => {
    expect(await (await ask('')).json()).toMatchObject({
      name: 'opea-graph',
      extensions: ['binary_tensor_data', 'generate', 'model_repository'],
    });
  });

  it('describes a model by its signature, with -1 for free dimensions', async () => {
    const metadata = await (await ask('/models/digits/versions/1')).json();
    expect(metadata).toMatchObject({
      name: 'digits',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, 28, 28] }],
    });
    expect(await (await ask('/models/digits')).json()).toEqual(metadata);
  });

  it('says whether a model would answer, by name, version and alias', async () => {
    for (const path of ['/models/digits/ready', '/models/digits/versions/production/ready'])
      expect((await ask(path)).status).toBe(200);
    expect((await ask('/models/digits/versions/9/ready')).status).toBe(404);
    expect((await ask('/models/nobody/ready')).status).toBe(404);
  });

  it('lists the repository', async () => {
    const index = await ask('/repository/index', { method: 'POST' });
    expect(await index.json()).toEqual([
      { name: 'babbler', version: '1', state: 'READY', reason: expect.any(String) },
      { name: 'digits', version: '1', state: 'READY', reason: expect.any(String) },
    ]);
  });

  it('infers from JSON what the graph predicts, and leads to its lineage', async () => {
    const predicted = await predictDigit(platform.client, sample);
    const answer = await postJson('/models/digits/infer', { id: 'mine', inputs: [image()] });
    expect(answer.status).toBe(200);
    const body = await jsonOf(answer);
    expect(body).toMatchObject({ id: 'mine', model_name: 'digits', model_version: '1' });
    expect(body.outputs.map(({ name, data }) => ({ name, data }))).toEqual(predicted.outputs);
    expect(body.parameters.prediction_id).toMatch(/^prd_/);
  });

  it('takes nested JSON values row by row', async () => {
    const rows = Array.from({ length: 28 }, (_, at) => sample.pixels.slice(at * 28, at * 28 + 28));
    const flat = await jsonOf(await postJson('/models/digits/infer', { inputs: [image()] }));
    const nested = await jsonOf(
      await postJson('/models/digits/infer', { inputs: [{ ...image(), data: [[rows]] }] }),
    );
    expect(nested.outputs).toEqual(flat.outputs);
  });

  it('infers from binary data and answers in it', async () => {
    const bytes = pixelBytes();
    const answer = await postBinary(
      '/models/digits/versions/1/infer',
      { inputs: [binaryImage(bytes.length)], parameters: { binary_data_output: true } },
      bytes,
    );
    expect(answer.status).toBe(200);
    const length = Number(answer.headers.get('inference-header-content-length'));
    const body = Buffer.from(await answer.arrayBuffer());
    const header = JSON.parse(body.subarray(0, length).toString());
    const plain = await jsonOf(await postJson('/models/digits/infer', { inputs: [image()] }));
    let at = length;
    for (const [index, output] of header.outputs.entries()) {
      const size = output.parameters.binary_data_size;
      const part = body.subarray(at, at + size);
      at += size;
      expect(output.data).toBeUndefined();
      if (output.datatype !== 'FP32') continue;
      const values = new Float32Array(part.buffer.slice(part.byteOffset, part.byteOffset + size));
      const expected = Float32Array.from(plain.outputs[index]?.data ?? []);
      expect([...values]).toEqual([...expected]);
    }
    expect(at).toBe(body.length);
  });

  it('answers only the outputs that were asked for, each in its form', async () => {
    const { outputs } = await jsonOf(await ask('/models/digits'));
    const wanted = outputs.at(-1)?.name;
    const answer = await postJson('/models/digits/infer', {
      inputs: [image()],
      outputs: [{ name: wanted, parameters: { binary_data: false } }],
    });
    const body = await jsonOf(answer);
    expect(body.outputs.map(({ name }) => name)).toEqual([wanted]);
  });

  it('generates a text, whole and as a stream', async () => {
    const asked = { text_input: 'once', parameters: { max_tokens: 8, temperature: 0 } };
    const whole = await jsonOf(await postJson('/models/babbler/generate', asked));
    expect(whole).toMatchObject({
      model_name: 'babbler',
      model_version: '1',
      finish_reason: 'length',
      completion_tokens: 8,
    });
    const streamed = await postJson('/models/babbler/versions/1/generate_stream', asked);
    expect(streamed.headers.get('content-type')).toContain('text/event-stream');
    const events = (await streamed.text())
      .split('\n\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)));
    expect(events.map(({ text_output }) => text_output).join('')).toBe(whole.text_output);
    expect(events.at(-1)).toMatchObject({ finish_reason: 'length' });
  });

  it('counts its requests as operations of the graph', async () => {
    const text = await (await fetch(`${platform.url}/metrics`)).text();
    expect(text).toMatch(
      /opea_router_operations_total\{transport="oip",type="mutation",outcome="OK"\} \d+/,
    );
  });
});

describe('the Open Inference Protocol refuses', () => {
  it('a caller without a key, and one with a wrong key', async () => {
    const body = JSON.stringify({ inputs: [image()] });
    for (const authorization of ['', 'Bearer opea_dev_0000000000000000000000']) {
      const answer = await ask('/models/digits/infer', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body,
      });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it.each([
    ['a model that is not there', '/models/nobody/infer', () => ({ inputs: [image()] }), 404],
    [
      'a version that is not there',
      '/models/digits/versions/9/infer',
      () => ({ inputs: [image()] }),
      404,
    ],
    [
      'a language model asked for tensors',
      '/models/babbler/infer',
      () => ({ inputs: [image()] }),
      400,
    ],
    [
      'wrong dimensions',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), shape: [1, 784] }] }),
      400,
    ],
    [
      'too few values',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), data: [1] }] }),
      400,
    ],
    [
      'a wrong datatype',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), datatype: 'INT64', data: sample.pixels.map(() => 0) }] }),
      400,
    ],
    [
      'a datatype that is none',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), datatype: 'FLOAT' }] }),
      400,
    ],
    [
      'a wrong name',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), name: 'picture' }] }),
      400,
    ],
    ['no inputs', '/models/digits/infer', () => ({ inputs: [] }), 400],
    [
      'an input without values',
      '/models/digits/infer',
      () => ({ inputs: [{ ...image(), data: undefined }] }),
      400,
    ],
    [
      'an output that is not there',
      '/models/digits/infer',
      () => ({ inputs: [image()], outputs: [{ name: 'nothing' }] }),
      400,
    ],
    [
      'NaN in JSON',
      '/models/digits/infer',
      () => '{"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[NaN]}]}',
      400,
    ],
    ['broken JSON', '/models/digits/infer', () => '{"inputs":', 400],
    ['too many bytes', '/models/digits/infer', () => `{"id":"${'a'.repeat(300_000)}"}`, 413],
    ['loading by hand', '/repository/models/digits/load', () => ({}), 501],
    [
      'a text model that is not there',
      '/models/nobody/generate_stream',
      () => ({ text_input: 'a' }),
      404,
    ],
    ['text from a tensor model', '/models/digits/generate', () => ({ text_input: 'a' }), 400],
  ])('%s', async (_what, path, body, status) => {
    const answer = await postJson(path, body());
    const text = await answer.text();
    expect([answer.status, text]).toEqual([status, expect.stringContaining('"error":"')]);
    expect(text).not.toMatch(/\bat .*\.ts|node_modules|stack/);
  });

  it('another content type', async () => {
    const answer = await ask('/models/digits/infer', {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: '<a/>',
    });
    expect(answer.status).toBe(415);
  });

  it('binary data that holds NaN, is cut short, or is more than was named', async () => {
    const nan = new Uint8Array(Float32Array.from(sample.pixels, () => Number.NaN).buffer);
    const cases: readonly (readonly [number, Uint8Array])[] = [
      [nan.length, nan],
      [nan.length, pixelBytes().subarray(8)],
      [nan.length - 8, pixelBytes()],
      [3, new Uint8Array(3)],
    ];
    for (const [size, bytes] of cases) {
      const answer = await postBinary(
        '/models/digits/infer',
        { inputs: [binaryImage(size)] },
        bytes,
      );
      const { error } = await jsonOf(answer);
      expect([answer.status, typeof error]).toEqual([400, 'string']);
    }
  });

  it('a header length beyond the body', async () => {
    const answer = await ask('/models/digits/infer', {
      method: 'POST',
      headers: { 'inference-header-content-length': '999999' },
      body: Buffer.from('{}'),
    });
    expect(answer.status).toBe(400);
  });
});
