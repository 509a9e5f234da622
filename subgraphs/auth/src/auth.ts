import type { ContextVerifier } from '@opea/kernel/auth';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import { outboxRelay } from '@opea/kernel/events';
import type { Check } from '@opea/kernel/health';
import { openStack } from '@opea/kernel/lifecycle';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { Database } from '@opea/kernel/postgres';
import { scalarResolvers } from '@opea/kernel/scalars';
import { type Subgraph, startSubgraph } from '@opea/kernel/subgraph';
import { subgraphSdl } from '@opea/schema/sdl';
import { sql } from 'kysely';
import { accessResolvers } from './access/access-resolvers.ts';
import { apiKeyResolvers } from './api-key/api-key-resolvers.ts';
import { apiKeys } from './api-key/api-keys.ts';
import { keyFormat } from './api-key/key-format.ts';
import { type Bootstrapped, bootstrap, type Workspace } from './bootstrap/bootstrap.ts';
import { contextOf } from './context.ts';
import { feedResolvers } from './feed/auth-feed.ts';
import { migrations } from './migrations.ts';
import { principalResolvers } from './principal/principal-resolvers.ts';
import { principals } from './principal/principals.ts';
import type { Tables } from './tables.ts';
import { tenantResolvers } from './tenant/tenant-resolvers.ts';
import { type IdentityProvider, identityProvider } from './token/identity.ts';
import { keyRing } from './token/key-ring.ts';
import { sealWith } from './token/seal.ts';
import { tokenIssuer } from './token/token-issuer.ts';
import { tokenRoutes } from './token/token-routes.ts';

export type { Bootstrapped, Workspace } from './bootstrap/bootstrap.ts';
export type { ExchangedKey, IdentityProvider } from './token/identity.ts';
export { parseSealingKey, readOrMakeSealingKey } from './token/sealing-key-file.ts';

export interface Dependencies {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** 32 bytes that signing keys are encrypted with at rest. */
  readonly sealingKey: Uint8Array;
  readonly settings?: AuthSettings;
}

export interface AuthSettings {
  /** The middle of API keys, `opea_<environment>_…`; default `dev`. */
  readonly environment?: string;
  /** `iss` of tokens; default `opea:auth`. */
  readonly issuer?: string;
  /** How long a token lives; default and most 600,000 ms. */
  readonly tokenTtlMs?: number;
  /** How long a signing key signs; default 30 days. */
  readonly rotateAfterMs?: number;
}

export interface AuthService extends AsyncDisposable {
  readonly subgraph: Subgraph;
  readonly identity: IdentityProvider;
  /** A tenant and a principal with every role, and its key when one was made. Doing it again finds what is there. */
  bootstrap(workspace: Workspace): Promise<Bootstrapped>;
  ready(): Promise<readonly Check[]>;
}

const tenMinutesMs = 600_000;

/** Auth, wired: who there is, what they may do, and tokens that say so. */
export async function startAuth(deps: Dependencies): Promise<AuthService> {
  const { database, bus, verifier, clock, logger, metrics, sealingKey } = deps;
  const {
    environment = 'dev',
    issuer = 'opea:auth',
    rotateAfterMs = 30 * 86_400_000,
  } = deps.settings ?? {};
  const ttlMs = Math.min(deps.settings?.tokenTtlMs ?? tenMinutesMs, tenMinutesMs);
  const stack = openStack();
  await database.migrate(migrations);
  const format = keyFormat(environment);
  const ring = keyRing({
    database,
    clock,
    seal: sealWith(sealingKey),
    rotation: { rotateAfterMs, leadMs: 5 * 60_000, keepMs: ttlMs + 60_000 },
    refreshMs: 30_000,
  });
  await ring.current();
  stack.use(outboxRelay({ database, bus, logger, metrics }));
  const tokens = tokenIssuer({ keyRing: ring, clock, issuer, ttlMs });
  const identity = identityProvider({ database, keyRing: ring, tokens, format, clock });
  const services = {
    database,
    bus,
    clock,
    logger,
    principals: principals({ database }),
    apiKeys: apiKeys({ database, format }),
  };
  const ready = async (): Promise<readonly Check[]> => [await databaseCheck(database)];
  const subgraph = stack.use(
    startSubgraph({
      name: 'auth',
      typeDefs: subgraphSdl.auth,
      resolvers: {
        ...scalarResolvers,
        ...tenantResolvers,
        ...principalResolvers,
        ...apiKeyResolvers,
        ...feedResolvers,
        Query: { ...tenantResolvers.Query, ...principalResolvers.Query, ...accessResolvers.Query },
        Mutation: { ...principalResolvers.Mutation, ...apiKeyResolvers.Mutation },
      },
      context: (source) => contextOf(services, source),
      verifier,
      logger,
      metrics,
      routes: tokenRoutes({ identity, verifier, clock }),
      ready,
    }),
  );
  return {
    subgraph,
    identity,
    bootstrap: (workspace) => bootstrap({ database, format, clock }, workspace),
    ready,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function databaseCheck(database: Database<Tables>): Promise<Check> {
  try {
    await sql`SELECT 1`.execute(database.query);
    return { name: 'database', ok: true };
  } catch {
    return { name: 'database', ok: false };
  }
}
