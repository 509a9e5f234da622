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
import { postgresBus } from '@opea/kernel/bus';
import { frozenClock } from '@opea/kernel/clock';
import { serve } from '@opea/kernel/http';
import { openStack } from '@opea/kernel/lifecycle';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { folderObjects } from '@opea/kernel/objects';
import { openPglite } from '@opea/kernel/postgres';
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

/** One embedded database, bus and object folder, on which registries start and stop. */
export async function openGround() {
  const stack = openStack({ deadlineMs: 30_000 });
  const folder = await mkdtemp(join(tmpdir(), 'opea-registry-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const embedded = stack.use(await openPglite({ folder: 'memory' }));
  const bus = stack.use(await postgresBus(embedded));
  const objects = stack.use(await folderObjects({ folder }));
  const { privateKey, publicKey } = await newSigningKeys();
  const clock = frozenClock('2026-01-01T00:00:00.000Z');
  const signer = contextSigner({ privateKey, clock });
  const verifier = contextVerifier({ publicKey, audience: 'opea:registry', clock });
  const adapters = { bus, objects, verifier, clock, logger: silentLogger };

  return {
    ...adapters,
    signer,
    database: (name = `registry_${randomBytes(4).toString('hex')}`) =>
      embedded.database<Tables>(name),
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
