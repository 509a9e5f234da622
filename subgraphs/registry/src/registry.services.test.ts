import { randomBytes } from 'node:crypto';
import { env } from 'node:process';
import { jetstreamBus } from '@opea/kernel/bus';
import type { Stack } from '@opea/kernel/lifecycle';
import { s3Objects } from '@opea/kernel/objects';
import { openPostgres } from '@opea/kernel/postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tables } from './tables.ts';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from './testing/test-registry.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST', 'MODEL_ADMIN']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST', 'MODEL_ADMIN'], 'tnt_globex');

const unique = () => `t${randomBytes(6).toString('hex')}`;
const needed = (name: string) => {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

/** Two pools on one PostgreSQL, as two processes have them, with JetStream and S3. */
const realParts = async (stack: Stack) => {
  const service = unique();
  const url = needed('OPEA_TEST_POSTGRES_REGISTRY_URL');
  const servers = needed('OPEA_TEST_NATS_URL');
  const bus = stack.use(await jetstreamBus({ servers, prefix: unique() }));
  const objects = stack.use(
    await s3Objects({
      url: needed('OPEA_TEST_S3_URL'),
      bucket: 'registry-tests',
      prefix: `${service}/`,
      accessKey: needed('OPEA_TEST_S3_ACCESS_KEY'),
      secretKey: needed('OPEA_TEST_S3_SECRET_KEY'),
    }),
  );
  return {
    bus,
    objects,
    database: async () => stack.use(await openPostgres<Tables>({ url, service })),
  };
};

describe('two registries on real servers', () => {
  let ground: Ground;
  let one: TestRegistry;
  let two: TestRegistry;
  beforeAll(async () => {
    ground = await openGround(realParts);
    [one, two] = await Promise.all([startOn(ground), startOn(ground)]);
  });
  afterAll(async () => {
    await two?.[Symbol.asyncDispose]();
    await one?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const register = (name: string) =>
    `mutation { registerModel(input: { name: "${name}" }) { position } }`;

  test('register a name once', async () => {
    const codes = await Promise.all(
      [one, two, one, two].map((service) => service.code(ada, register('race'))),
    );

    expect(codes.toSorted()).toEqual(['', 'MODEL_EXISTS', 'MODEL_EXISTS', 'MODEL_EXISTS']);
  });

  test('number versions that come at once without a gap, and both show them', async () => {
    await one.data(ada, register('crowd'));
    const digest = await one.model(ada);
    const publish = `mutation { publishVersion(input: { model: "crowd", files: [{ name: "model.onnx", digest: "${digest}" }] }) {
      modelVersion { number } position } }`;
    const answers = (await Promise.all(
      Array.from({ length: 8 }, (_, n) => (n % 2 ? one : two).data(ada, publish)),
    )) as { publishVersion: { modelVersion: { number: number }; position: string } }[];
    const numbers = answers.map(({ publishVersion }) => publishVersion.modelVersion.number);
    const atLeast = answers
      .map(({ publishVersion }) => publishVersion.position)
      .toSorted((a, b) => Number(b) - Number(a))[0];
    const query = `query($at: String!) { model(name: "crowd", consistency: { atLeast: $at }) { versions { totalCount } } }`;

    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const service of [one, two])
      await expect(service.data(ada, query, { at: atLeast })).resolves.toEqual({
        model: { versions: { totalCount: 8 } },
      });
  });

  test('show what the other was told, to whoever has its position', async () => {
    const { registerModel } = (await one.data(ada, register('told'))) as {
      registerModel: { position: string };
    };

    await expect(
      two.data(
        ada,
        'query($at: String!) { model(name: "told", consistency: { atLeast: $at }) { name } }',
        { at: registerModel.position },
      ),
    ).resolves.toEqual({ model: { name: 'told' } });
  });

  test('tell each event once, in order, whoever of them made it', async () => {
    const stop = new AbortController();
    const events = await two.subscribe(
      mallory,
      'subscription { registryEvents { data model { name } } }',
      {},
      stop.signal,
    );
    const iterator = events[Symbol.asyncIterator]();
    const first = iterator.next();
    const names = Array.from({ length: 6 }, (_, n) => `event-${n}`);
    for (const [n, name] of names.entries())
      await (n % 2 ? one : two).data(mallory, register(name));
    const heard: unknown[] = [];
    for (let next = first; ; next = iterator.next()) {
      const { value } = await next;
      heard.push(value?.data?.registryEvents);
      if (heard.length === names.length) break;
    }
    stop.abort();

    expect(heard).toMatchObject(names.map((name) => ({ data: { name }, model: { name } })));
  });

  test('show no row without a tenant, to a role that owns the tables too', async () => {
    const count = (tenant?: string) =>
      one.database.transaction(
        async (tx) => (await tx.selectFrom('models').selectAll().execute()).length,
        tenant === undefined ? {} : { tenant },
      );

    await expect(count()).resolves.toBe(0);
    await expect(count('tnt_other')).resolves.toBe(0);
    await expect(count(ada.tenant)).resolves.toBeGreaterThan(0);
  });
});
