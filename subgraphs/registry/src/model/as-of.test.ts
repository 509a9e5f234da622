import { eventStore, type StoredEvent } from '@opea/kernel/events';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from '../testing/test-registry.ts';
import { modelEventOf, publicFact } from './model-events.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST', 'MODEL_ADMIN']);

let ground: Ground;
let registry: TestRegistry;
let digest: string;
beforeAll(async () => {
  ground = await openGround();
  registry = await startOn(ground);
  digest = await registry.model(ada);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

interface Seen {
  name: string;
  description: string;
  owner: { id: string };
  aliases: { name: string; version: { number: number } }[];
  versions: {
    totalCount: number;
    edges: { node: { number: number; state: string; aliases: string[] } }[];
  };
}

/** The registry at an instant, made of nothing but the events until then. */
function folded(events: readonly StoredEvent[], at: Date): Seen[] {
  const models = new Map<string, Seen>();
  for (const stored of events.filter(({ occurredAt }) => occurredAt <= at)) {
    const event = modelEventOf(stored);
    const { modelId } = event.data;
    const model = models.get(modelId);
    if (event.type === 'ModelRegistered') {
      const { name, description, ownerId } = event.data;
      const versions = { totalCount: 0, edges: [] };
      models.set(modelId, { name, description, owner: { id: ownerId }, aliases: [], versions });
    } else if (model && event.type === 'ModelUpdated') {
      model.description = event.data.description;
      model.owner = { id: event.data.ownerId };
    } else if (model && event.type === 'VersionPublished') {
      model.versions.totalCount += 1;
      const node = { number: event.data.number, state: 'PUBLISHED', aliases: [] };
      model.versions.edges.unshift({ node });
    } else if (model && event.type === 'AliasMoved') {
      const { alias, number } = event.data;
      model.aliases = [
        ...model.aliases.filter(({ name }) => name !== alias),
        { name: alias, version: { number } },
      ];
      model.aliases.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const { node } of model.versions.edges)
        node.aliases = model.aliases
          .filter(({ version }) => version.number === node.number)
          .map(({ name }) => name);
    } else if (model && event.type === 'VersionRetired') {
      for (const { node } of model.versions.edges)
        if (node.number === event.data.number) node.state = 'RETIRED';
    }
  }
  return [...models.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const query = `query($at: DateTime) { models(asOf: $at, first: 100) { edges { node {
  name description owner { id }
  aliases { name version { number } }
  versions(first: 100) { totalCount edges { node { number state aliases } } } } } } }`;

const step = fc.record({
  kind: fc.constantFrom('register', 'update', 'publish', 'promote', 'retire'),
  model: fc.constantFrom('one', 'two'),
  number: fc.integer({ min: 1, max: 3 }),
  alias: fc.constantFrom('production', 'canary'),
  waitMs: fc.constantFrom(0, 1, 1_000),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

test('the registry as of any instant is the fold of the events until then', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const database = await ground.database();
      await using fresh = await startOn(ground, { database });
      await fresh.model(ada);
      const instants = [ground.clock()];
      for (const { waitMs, ...each } of steps) {
        ground.clock.advance(waitMs);
        await run(fresh, each);
        instants.push(ground.clock());
      }
      const store = eventStore(database, { clock: ground.clock, publish: publicFact });
      const events = await store.readAll({ after: '0', limit: 1_000 });
      for (const at of instants) {
        const { models } = (await fresh.data(ada, query, { at: at.toISOString() })) as {
          models: { edges: { node: Seen }[] };
        };
        expect(models.edges.map(({ node }) => node)).toEqual(folded(events, at));
      }
      const { models: now } = (await fresh.data(ada, query)) as {
        models: { edges: { node: Seen }[] };
      };
      expect(now.edges.map(({ node }) => node)).toEqual(folded(events, ground.clock()));
    }),
    { numRuns: 5 },
  );
});

async function run(fresh: TestRegistry, { kind, model, number, alias }: Omit<Step, 'waitMs'>) {
  const input = {
    register: { name: model },
    update: { modelId: await idOf(fresh, model), description: `${alias} ${number}` },
    publish: { model, files: [{ name: 'model.onnx', digest }] },
    promote: { model, number, alias },
    retire: { model, number },
  }[kind];
  const mutation = {
    register: 'registerModel(input: $input)',
    update: 'updateModel(input: $input)',
    publish: 'publishVersion(input: $input)',
    promote: 'promoteVersion(input: $input)',
    retire: 'retireVersion(input: $input)',
  }[kind];
  const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1, mutation.indexOf('('))}Input`;
  // Refused commands are part of the game: they must leave no trace.
  await fresh.ask(ada, `mutation($input: ${type}!) { ${mutation} { position } }`, { input });
}

async function idOf(fresh: TestRegistry, name: string): Promise<string> {
  const { model } = (await fresh.data(ada, 'query($name: String!) { model(name: $name) { id } }', {
    name,
  })) as { model: { id: string } | null };
  return model?.id ?? 'mdl_absent';
}

test('a model, its aliases and its history are as they were', async () => {
  const at: string[] = [];
  const mark = () => {
    at.push(ground.clock().toISOString());
    ground.clock.advance(60_000);
  };
  mark();
  await registry.data(
    ada,
    'mutation { registerModel(input: { name: "timed", description: "old" }) { position } }',
  );
  mark();
  await run(registry, { kind: 'publish', model: 'timed', number: 1, alias: 'production' } as never);
  await run(registry, { kind: 'promote', model: 'timed', number: 1, alias: 'production' } as never);
  mark();
  await run(registry, { kind: 'publish', model: 'timed', number: 2, alias: 'production' } as never);
  await run(registry, { kind: 'promote', model: 'timed', number: 2, alias: 'production' } as never);
  await run(registry, { kind: 'retire', model: 'timed', number: 1, alias: 'production' } as never);
  mark();
  const asOf = `query($at: DateTime) { model(name: "timed", asOf: $at) {
    alias { number state aliases model { alias { number } } } version(number: 1) { state }
    history { edges { node { type } } } } }`;
  const seen = await Promise.all(at.map((instant) => registry.data(ada, asOf, { at: instant })));

  expect(seen).toMatchObject([
    { model: null },
    { model: { alias: null, version: null, history: { edges: [{}] } } },
    {
      model: {
        alias: {
          number: 1,
          state: 'PUBLISHED',
          aliases: ['production'],
          model: { alias: { number: 1 } },
        },
        version: { state: 'PUBLISHED' },
        history: { edges: [{}, {}, {}] },
      },
    },
    {
      model: {
        alias: { number: 2 },
        version: { state: 'RETIRED' },
        history: { edges: [{}, {}, {}, {}, {}, {}] },
      },
    },
  ]);
});
