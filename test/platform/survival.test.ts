import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GraphClient, graphClient } from '@opea/cli/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { opea, startUp } from '../kit/opea-process.ts';
import { until } from '../kit/until.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opea-survival-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the platform', () => {
  test('killed after acknowledged changes has all of them when it starts again', async () => {
    const acknowledged = await killedWhileChanging(folder);

    await using again = await startUp(folder, '--no-demo');
    await using client = graphClient(again);
    const found = await namesIn(client);

    expect(acknowledged.models.length).toBeGreaterThan(20);
    expect(found.models).toEqual(expect.arrayContaining([...acknowledged.models]));
    expect(found.views).toEqual(expect.arrayContaining([...acknowledged.views]));
    expect(found.keys).toEqual(expect.arrayContaining([...acknowledged.keys]));
  });

  test('stopped with Ctrl-C drains, exits 0, and keeps its key', async () => {
    const first = await startUp(folder, '--no-demo');

    const { code, stderr } = await first.interrupt();
    await using again = await startUp(folder, '--no-demo');

    expect(code).toBe(0);
    expect(stderr).toContain('Nothing is lost');
    expect(again.apiKey).toBe(first.apiKey);
  });
});

describe('a start that cannot be', () => {
  test('says which port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;

    const { code, stderr } = await opea('up', '--no-demo', '--data', folder, '--port', `${port}`);

    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`Port ${port}`);
    taken.close();
  });

  test('says that the folder is in use', async () => {
    await using _first = await startUp(folder, '--no-demo');

    const { code, stderr } = await opea('up', '--no-demo', '--data', folder, '--port', '0');

    expect(code).toBe(2);
    expect(stderr).toContain('FOLDER_IN_USE');
  });

  test('says that the folder is a file', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');

    const { code, stderr } = await opea('up', '--data', file);

    expect(code).toBe(2);
    expect(stderr).toContain('is a file, not a folder');
  });

  test('says which value is wrong', async () => {
    const { code, stderr } = await opea('up', '--port', 'many', '--data', folder);

    expect(code).toBe(2);
    expect(stderr).toContain('many is not a whole number');
  });
});

interface Names {
  readonly models: readonly string[];
  readonly views: readonly string[];
  readonly keys: readonly string[];
}

/** Changes things as fast as it can until the process is killed under it; returns what was acknowledged. */
async function killedWhileChanging(data: string): Promise<Names> {
  const platform = await startUp(data, '--no-demo');
  await using client = graphClient(platform);
  const models: string[] = [];
  const views: string[] = [];
  const keys: string[] = [];
  const changing = [
    repeat(async (n) => {
      await client.ask(register, { input: { name: `model-${n}` } });
      models.push(`model-${n}`);
    }),
    repeat(async (n) => {
      const fields = [{ name: 'f', type: 'FLOAT' }];
      await client.ask(apply, { input: { name: `view-${n}`, entities: ['e'], fields } });
      views.push(`view-${n}`);
    }),
    repeat(async (n) => {
      await client.ask(createKey, { input: { name: `key-${n}` } });
      keys.push(`key-${n}`);
    }),
  ];
  await until(
    () => ({ models: models.length, views: views.length, keys: keys.length }),
    (done) => done.models > 20 && done.views > 10 && done.keys > 10,
    { withinMs: 60_000 },
  );
  await platform.kill();
  await Promise.all(changing);
  return { models, views, keys };
}

/** Until it fails, which it does when the platform is gone; 45 times at most: there are rate limits. */
async function repeat(change: (n: number) => Promise<void>): Promise<void> {
  try {
    for (let n = 0; n < 45; n += 1) await change(n);
  } catch {
    // The platform was killed: this change was not acknowledged.
  }
}

async function namesIn(client: GraphClient): Promise<Names> {
  const answer = await client.ask<{
    models: Edges;
    featureViews: Edges;
    me: { apiKeys: Edges };
  }>(/* GraphQL */ `
    {
      models(first: 100) { edges { node { name } } }
      featureViews(first: 100) { edges { node { name } } }
      me { apiKeys(first: 100) { edges { node { name } } } }
    }
  `);
  const names = ({ edges }: Edges) => edges.map(({ node }) => node.name);
  return {
    models: names(answer.models),
    views: names(answer.featureViews),
    keys: names(answer.me.apiKeys),
  };
}

interface Edges {
  readonly edges: readonly { readonly node: { readonly name: string } }[];
}

const register =
  'mutation($input: RegisterModelInput!) { registerModel(input: $input) { position } }';
const apply =
  'mutation($input: ApplyFeatureViewInput!) { applyFeatureView(input: $input) { position } }';
const createKey =
  'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { position } }';
