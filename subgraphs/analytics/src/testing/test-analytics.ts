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
import { openStack, type Stack } from '@opea/kernel/lifecycle';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { type Database, openPglite } from '@opea/kernel/postgres';
import { type Dependencies, startAnalytics } from '../analytics.ts';
import type { Tables } from '../tables.ts';

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

/** What analytics services of a test stand on. */
export interface Adapters {
  readonly bus: Bus;
  database(): Promise<Database<Tables>>;
}

async function embeddedParts(stack: Stack): Promise<Adapters> {
  const embedded = stack.use(await openPglite({ folder: 'memory' }));
  const bus = stack.use(await postgresBus(embedded));
  return { bus, database: () => embedded.database(`analytics_${randomBytes(4).toString('hex')}`) };
}

/** Where analytics services start and stop: on embedded parts, or on what `open` opens. */
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
    verifier: contextVerifier({ publicKey, audience: 'opea:analytics', clock }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** An analytics service on its own tables of the ground, with a client that asks as whoever it is told. */
export async function startOn(ground: Ground, over: Partial<Dependencies> = {}) {
  const database = over.database ?? (await ground.database());
  const metrics = createMetrics();
  const service = await startAnalytics({ ...ground, metrics, ...over, database });
  const { endpoint } = service.subgraph;
  const headersOf = async (who: Viewer) => ({
    [CONTEXT_HEADER]: await ground.signer.mint(who, 'opea:analytics'),
  });
  const ask = async (who: Viewer, query: string, variables: Variables = {}) =>
    endpoint.execute(
      { query, variables },
      { headers: await headersOf(who), signal: AbortSignal.timeout(20_000) },
    );
  return {
    service,
    database,
    metrics,
    ask,
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
    async subscribe(who: Viewer, query: string, variables: Variables, signal: AbortSignal) {
      return endpoint.subscribe({ query, variables }, { headers: await headersOf(who), signal });
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

export type TestAnalytics = Awaited<ReturnType<typeof startOn>>;
