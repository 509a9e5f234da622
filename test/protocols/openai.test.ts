import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveBabbler, serveDigits } from '../kit/models.ts';
import { type RunningPlatform, startTestPlatform } from '../kit/running-platform.ts';
import { until } from '../kit/until.ts';

let platform: RunningPlatform;
let client: OpenAI;

beforeAll(async () => {
  platform = await startTestPlatform();
  await serveDigits(platform.client);
  await serveBabbler(platform.client);
  client = clientWith(platform.apiKey);
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

const clientWith = (apiKey: string) =>
  new OpenAI({ apiKey, baseURL: `${platform.url}/v1`, maxRetries: 0 });

describe('the unmodified OpenAI client', () => {
  it('lists the language models in production, and none that takes tensors', async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    expect(models).toEqual([
      { id: 'babbler', object: 'model', created: expect.any(Number), owned_by: 'you' },
    ]);
  });

  it('retrieves a model by name, alias and version', async () => {
    for (const name of ['babbler', 'babbler@production', 'babbler@1'])
      expect(await client.models.retrieve(name)).toMatchObject({ id: name, owned_by: 'you' });
    await expect(client.models.retrieve('digits')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('completes a text as the graph generates it with the same seed', async () => {
    const completion = await client.completions.create({
      model: 'babbler',
      prompt: 'once upon',
      max_tokens: 12,
      temperature: 0.8,
      top_p: 0.9,
      seed: 7,
    });
    const { generate } = await platform.client.ask<{ generate: { text: string } }>(
      'mutation Same($input: GenerateInput!) { generate(input: $input) { text } }',
      {
        input: {
          model: 'babbler',
          prompt: 'once upon',
          maxTokens: 12,
          temperature: 0.8,
          topP: 0.9,
          seed: 7,
        },
      },
    );
    expect(completion).toMatchObject({ object: 'text_completion', model: 'babbler' });
    expect(completion.choices).toEqual([
      { index: 0, text: generate.text, logprobs: null, finish_reason: 'length' },
    ]);
    expect(completion.usage).toMatchObject({ completion_tokens: 12 });
  });

  it('leaves the lineage of a completion in the graph, under its id', async () => {
    const { id, system_fingerprint } = await client.completions.create({
      model: 'babbler@1',
      prompt: 'a',
      max_tokens: 2,
    });
    const { generation } = await until(
      () =>
        platform.client.ask<{ generation: { state: string; modelVersion: { id: string } } | null }>(
          'query Lineage($id: ID!) { generation(id: $id) { state modelVersion { id } } }',
          { id },
        ),
      (answer) => answer.generation?.state === 'FINISHED',
    );
    expect(generation?.modelVersion.id).toBe(system_fingerprint);
  });

  it('streams a chat token by token, with its usage at the end', async () => {
    const asked = {
      model: 'babbler',
      messages: [{ role: 'user' as const, content: 'hello there' }],
      max_completion_tokens: 10,
      temperature: 0,
    };
    const stream = await client.chat.completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    const whole = await client.chat.completions.create(asked);
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 10 } });
    expect(chunks.length).toBeGreaterThanOrEqual(11);
  });

  it('gets the logarithm of each token’s probability when it asks', async () => {
    const chat = await client.chat.completions.create({
      model: 'babbler',
      messages: [{ role: 'user', content: 'hello' }],
      max_tokens: 4,
      logprobs: true,
    });
    const told = chat.choices[0]?.logprobs?.content ?? [];
    expect(told).toHaveLength(4);
    for (const { logprob } of told) expect(logprob).toBeLessThanOrEqual(0);
    const completion = await client.completions.create({
      model: 'babbler',
      prompt: 'hello',
      max_tokens: 4,
      logprobs: 1,
    });
    expect(completion.choices[0]?.logprobs?.token_logprobs).toHaveLength(4);
  });

  it('ends the text before a stop string', async () => {
    const asked = { model: 'babbler', prompt: 'stop', max_tokens: 16, temperature: 0 };
    const long = (await client.completions.create(asked)).choices[0]?.text ?? '';
    const stop = long.slice(3, 6);
    const short = await client.completions.create({ ...asked, stop });
    expect(short.choices[0]).toMatchObject({
      text: long.slice(0, long.indexOf(stop)),
      finish_reason: 'stop',
    });
  });

  it('frees the slot of a stream that it leaves', async () => {
    const running = () => sampleOf('opea_router_open_streams{transport="openai"}');
    const stream = await client.completions.create({
      model: 'babbler',
      prompt: 'go on',
      max_tokens: 400,
      stream: true,
    });
    let id = '';
    for await (const chunk of stream) {
      id = chunk.id;
      break;
    }
    await until(running, (open) => open === 0);
    const { generation } = await until(
      () =>
        platform.client.ask<{ generation: { finishReason: string | null } | null }>(
          'query Left($id: ID!) { generation(id: $id) { finishReason } }',
          { id },
        ),
      (answer) => typeof answer.generation?.finishReason === 'string',
    );
    expect(generation?.finishReason).toBe('CANCELLED');
  });
});

describe('the OpenAI API refuses', () => {
  it('a caller without a valid key', async () => {
    await expect(clientWith('opea_dev_0000000000000000000000').models.list()).rejects.toMatchObject(
      { status: 401, code: 'invalid_api_key', type: 'authentication_error' },
    );
    const bare = await fetch(`${platform.url}/v1/models`);
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a model that is not there, and one that does not generate text', async () => {
    const ask = (model: string) => client.completions.create({ model, prompt: 'a' });
    await expect(ask('nobody')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    await expect(ask('digits')).rejects.toMatchObject({ status: 400, code: 'wrong_model_kind' });
    const messages = [{ role: 'user' as const, content: 'a' }];
    await expect(
      client.chat.completions.create({ model: 'nobody', messages, stream: true }),
    ).rejects.toMatchObject({ status: 404, param: 'model' });
  });

  it('embeddings, since no model gives them', async () => {
    await expect(client.embeddings.create({ model: 'babbler', input: 'a' })).rejects.toMatchObject({
      status: 400,
      code: 'embeddings_unsupported',
    });
  });

  it.each([
    ['no JSON', 415, 'text/plain', '{}'],
    ['broken JSON', 400, 'application/json', '{"model":'],
    ['NaN', 400, 'application/json', '{"model":"babbler","prompt":"a","temperature":NaN}'],
    ['a list', 400, 'application/json', '[]'],
    ['no model', 400, 'application/json', '{"prompt":"a"}'],
    ['a prompt of token ids', 400, 'application/json', '{"model":"babbler","prompt":[1,2]}'],
    ['several answers', 400, 'application/json', '{"model":"babbler","prompt":"a","n":2}'],
    ['a reserved name', 400, 'application/json', '{"model":"babbler","prompt":"a","__proto__":{}}'],
    ['deep nesting', 400, 'application/json', `{"x":${'['.repeat(9_000)}${']'.repeat(9_000)}}`],
    ['too many bytes', 413, 'application/json', `{"prompt":"${'a'.repeat(300_000)}"}`],
    [
      'too long a text',
      400,
      'application/json',
      `{"model":"babbler","prompt":"${'a '.repeat(80_000)}"}`,
    ],
  ])('%s with %i and one sentence', async (_what, status, type, body) => {
    const answer = await fetch(`${platform.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${platform.apiKey}`, 'content-type': type },
      body,
    });
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(JSON.parse(text)).toEqual({
      error: {
        message: expect.any(String),
        type: 'invalid_request_error',
        param: expect.toSatisfy((field) => field === null || typeof field === 'string'),
        code: expect.any(String),
      },
    });
    expect(text).not.toMatch(/\bat .*\.ts|node_modules|stack/);
  });

  it('paths and methods that it does not have, in its own form', async () => {
    const headers = { authorization: `Bearer ${platform.apiKey}` };
    const nowhere = await fetch(`${platform.url}/v1/images/generations`, { headers });
    expect(nowhere.status).toBe(404);
    expect(await nowhere.json()).toMatchObject({ error: { code: 'not_found' } });
    const method = await fetch(`${platform.url}/v1/completions`, { headers });
    expect(method.status).toBe(405);
  });
});

async function sampleOf(name: string): Promise<number> {
  const text = await (await fetch(`${platform.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? 0);
}
