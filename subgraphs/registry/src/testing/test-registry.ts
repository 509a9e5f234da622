import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CONTEXT_HEADER,
  contextSigner,
  contextVerifier,
  newSigningKeys,
  type Role,
  type Viewer,
} from '@opea/kernel/auth';
import { type Bus, postgresBus } from '@opea/kernel/bus';
import { frozenClock } from '@opea/kernel/clock';
import { serve } from '@opea/kernel/http';
import { openStack, type Stack } from '@opea/kernel/lifecycle';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { folderObjects, type ObjectStore } from '@opea/kernel/objects';
import { type Database, openPglite } from '@opea/kernel/postgres';
import type { GraphResult } from '@opea/kernel/subgraph';
import { type Dependencies, type RegistryService, startRegistry } from '../registry.ts';
import type { Tables } from '../tables.ts';
import { tinyOnnx } from './tiny-onnx.ts';

type Variables = Readonly<Record<string, unknown>>;

/** A principal of a test: `acme`'s unless told otherwise. */
export const viewer = (id: string, roles: readonly Role[], tenant = 'tnt_acme'): Viewer => ({
  id,
  tenant,
  name: id,
  kind: 'USER',
  roles: new Set(roles),
  scopes: new Set(),
});

/** What registries of a test stand on. */
export interface Adapters {
  readonly bus: Bus;
  readonly objects: ObjectStore;
  database(): Promise<Database<Tables>>;
}

/** One embedded database and bus, and a folder for objects. */
async function embeddedParts(stack: Stack): Promise<Adapters> {
  const folder = await mkdtemp(join(tmpdir(), 'opea-registry-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const embedded = stack.use(await openPglite({ folder: 'memory' }));
  const bus = stack.use(await postgresBus(embedded));
  const objects = stack.use(await folderObjects({ folder }));
  return {
    bus,
    objects,
    database: () => embedded.database(`registry_${randomBytes(4).toString('hex')}`),
  };
}

/** Where registries start and stop: on embedded parts, or on what `open` opens. */
export async function openGround(open = embeddedParts) {
  const stack = openStack({ deadlineMs: 30_000 });
  const adapters = await open(stack);
  const { privateKey, publicKey } = await newSigningKeys();
  const clock = frozenClock('2026-01-01T00:00:00.000Z');
  return {
    ...adapters,
    clock,
    logger: silentLogger,
    signer: contextSigner({ privateKey, clock }),
    verifier: contextVerifier({ publicKey, audience: 'opea:registry', clock }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** A registry on its own tables of the ground, with a client that asks as whoever it is told. */
export async function startOn(ground: Ground, over: Partial<Dependencies> = {}) {
  const database = over.database ?? (await ground.database());
  const metrics = createMetrics();
  const registry = await startRegistry({ ...ground, metrics, ...over, database });
  const http = await serve(registry.subgraph.listener, { port: 0 });
  return {
    ...clientOf(ground, registry, http.url),
    database,
    registry,
    url: http.url,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

export type TestRegistry = Awaited<ReturnType<typeof startOn>>;

function clientOf({ signer }: Ground, { subgraph }: RegistryService, url: string) {
  const headersOf = async (who: Viewer) => ({
    [CONTEXT_HEADER]: await signer.mint(who, 'opea:registry'),
  });

  const ask = async (who: Viewer, query: string, variables: Variables = {}): Promise<GraphResult> =>
    subgraph.endpoint.execute(
      { query, variables },
      { headers: await headersOf(who), signal: AbortSignal.timeout(20_000) },
    );

  const upload = async (who: Viewer, bytes: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${url}/artifacts`, {
      method: 'PUT',
      body: Buffer.from(bytes),
      headers: { ...(await headersOf(who)), ...headers },
    });

  return {
    ask,
    upload,
    headersOf,
    /** The data of a query that must succeed. */
    async data(who: Viewer, query: string, variables: Variables = {}) {
      const { data, errors } = await ask(who, query, variables);
      if (errors) throw new Error(JSON.stringify(errors));
      return data ?? {};
    },
    /** The code of the only error of a query that must fail. */
    async code(who: Viewer, query: string, variables: Variables = {}) {
      const { errors = [] } = await ask(who, query, variables);
      return errors.map(({ extensions }) => extensions?.['code']).join();
    },
    /** Uploads a small model and gives its digest. */
    async model(who: Viewer, model: Parameters<typeof tinyOnnx>[0] = {}): Promise<string> {
      const answer = await upload(who, tinyOnnx(model));
      const body = (await answer.json()) as { digest: string };
      return body.digest;
    },
    async subscribe(who: Viewer, query: string, variables: Variables, signal: AbortSignal) {
      return subgraph.endpoint.subscribe(
        { query, variables },
        { headers: await headersOf(who), signal },
      );
    },
  };
}
