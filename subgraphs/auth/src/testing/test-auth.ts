import { randomBytes } from 'node:crypto';
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
import { type Database, openPglite } from '@opea/kernel/postgres';
import type { GraphResult } from '@opea/kernel/subgraph';
import { type AuthService, type Dependencies, startAuth } from '../auth.ts';
import type { Tables } from '../tables.ts';

type Variables = Readonly<Record<string, unknown>>;

/** What auth services of a test stand on. */
export interface Adapters {
  readonly bus: Bus;
  database(): Promise<Database<Tables>>;
}

/** One embedded database and bus. */
async function embeddedParts(stack: Stack): Promise<Adapters> {
  const embedded = stack.use(await openPglite({ folder: 'memory' }));
  const bus = stack.use(await postgresBus(embedded));
  return { bus, database: () => embedded.database(`auth_${randomBytes(4).toString('hex')}`) };
}

/** Where auth services start and stop: on embedded parts, or on what `open` opens. */
export async function openGround(open = embeddedParts) {
  const stack = openStack({ deadlineMs: 30_000 });
  const { bus, database } = await open(stack);
  const { privateKey, publicKey } = await newSigningKeys();
  const clock = frozenClock('2026-01-01T00:00:30.000Z');
  return {
    bus,
    database,
    clock,
    logger: silentLogger,
    signer: contextSigner({ privateKey, clock }),
    verifier: contextVerifier({ publicKey, audience: 'opea:auth', clock }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** An auth service on its own tables of the ground, with a client that asks as whoever it is told. */
export async function startOn(ground: Ground, over: Partial<Dependencies> = {}) {
  const database = over.database ?? (await ground.database());
  const sealingKey = over.sealingKey ?? randomBytes(32);
  const metrics = createMetrics();
  const auth = await startAuth({ ...ground, metrics, ...over, sealingKey, database });
  const http = await serve(auth.subgraph.listener, { port: 0 });
  return {
    ...clientOf(ground, auth),
    auth,
    database,
    sealingKey,
    url: http.url,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await auth[Symbol.asyncDispose]();
    },
  };
}

export type TestAuth = Awaited<ReturnType<typeof startOn>>;

function clientOf({ signer }: Ground, { identity, subgraph, bootstrap }: AuthService) {
  const headersOf = async (who: Viewer) => ({
    [CONTEXT_HEADER]: await signer.mint(who, 'opea:auth'),
  });
  const ask = async (who: Viewer, query: string, variables: Variables = {}): Promise<GraphResult> =>
    subgraph.endpoint.execute(
      { query, variables },
      { headers: await headersOf(who), signal: AbortSignal.timeout(20_000) },
    );
  const data = async (who: Viewer, query: string, variables: Variables = {}) => {
    const { data: found, errors } = await ask(who, query, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    return found ?? {};
  };

  return {
    ask,
    data,
    headersOf,
    /** The code of the only error of a query that must fail. */
    async code(who: Viewer, query: string, variables: Variables = {}) {
      const { errors = [] } = await ask(who, query, variables);
      return errors.map(({ extensions }) => extensions?.['code']).join();
    },
    /** A tenant's first principal, with every role and a key. */
    async admin(tenant: string): Promise<{ readonly viewer: Viewer; readonly apiKey: string }> {
      const { apiKey = '' } = await bootstrap({ tenant, principal: 'root' });
      const { expiresAt: _expiresAt, ...viewer } = (await identity.exchange(apiKey)).viewer;
      return { viewer, apiKey };
    },
    /** A principal made by an administrator. */
    async member(admin: Viewer, name: string, roles: readonly Role[]): Promise<Viewer> {
      const mutation = `mutation($input: CreatePrincipalInput!) {
        createPrincipal(input: $input) { principal { id } } }`;
      const { createPrincipal } = (await data(admin, mutation, { input: { name, roles } })) as {
        createPrincipal: { principal: { id: string } };
      };
      const { id } = createPrincipal.principal;
      return { ...admin, id, name, roles: new Set(roles) };
    },
    async subscribe(who: Viewer, query: string, variables: Variables, signal: AbortSignal) {
      return subgraph.endpoint.subscribe(
        { query, variables },
        { headers: await headersOf(who), signal },
      );
    },
  };
}
