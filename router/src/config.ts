import { bytes, type Environment, flag, loadConfig, millis } from '@opea/kernel/config';
import { z } from 'zod';
import { type GuardName, refusals } from './errors.ts';
import type { Introspection } from './front/admission.ts';
import { defaultRateLimits, type RateLimits } from './front/rate-limits.ts';
import { defaultLimits, type Limits } from './guards/limits.ts';
import type { GuardMode } from './guards/policy.ts';

/** How a router behaves; every member has a default. */
export interface RouterConfig {
  readonly limits: Limits;
  readonly guardMode: GuardMode;
  /** Guards that differ from `guardMode`. */
  readonly guardModes: Readonly<Partial<Record<GuardName, GuardMode>>>;
  readonly rates: RateLimits;
  readonly introspection: Introspection;
  readonly allowAnonymous: boolean;
  /** Origins, such as `https://app.example.com`, whose pages may read answers and open sockets. */
  readonly origins: readonly string[];
  readonly explorer: boolean;
  /** Prefills the explorer. Given out only to pages opened on a loopback address. */
  readonly explorerKey: string | undefined;
  readonly tokenIssuer: string;
  readonly tokenAudience: string;
  readonly tokenAlgorithms: readonly string[];
  /** How long a verified API key is believed without asking the auth service again. */
  readonly keyCacheMs: number;
  readonly requestMs: number;
  readonly answerBytes: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly socketMessageBytes: number;
  readonly socketInitMs: number;
  readonly socketOperations: number;
  readonly socketsPerPrincipal: number;
}

const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const list = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text) =>
      text
        .split(',')
        .map((it) => it.trim())
        .filter((it) => it !== ''),
    );
const mode = z.enum(['enforce', 'measure', 'off']);

/** How a router process behaves, by its environment. */
export const routerShape = {
  ROUTER_GUARD_MODE: mode
    .default('enforce')
    .describe('What guards do with a request over a limit.'),
  ROUTER_GUARDS_MEASURED: list('').describe('Guards, by code, that only count: `DEPTH,COST`.'),
  ROUTER_MAX_BODY: bytes(defaultLimits.bodyBytes).describe('Largest request body.'),
  ROUTER_BODY_MS: millis(defaultLimits.bodyMs).describe('Time for a body to arrive.'),
  ROUTER_MAX_HEADERS: count(defaultLimits.headers).describe('Headers of a request.'),
  ROUTER_MAX_TOKENS: count(defaultLimits.tokens).describe('Tokens of a document.'),
  ROUTER_MAX_OPERATIONS: count(defaultLimits.operations).describe('Operations in a document.'),
  ROUTER_MAX_DEPTH: count(defaultLimits.depth).describe('Nested fields of an operation.'),
  ROUTER_MAX_ALIASES: count(defaultLimits.aliases).describe('Aliases of an operation.'),
  ROUTER_MAX_ROOTS: count(defaultLimits.rootFields).describe('Root fields of an operation.'),
  ROUTER_MAX_DIRECTIVES: count(defaultLimits.directives).describe('Directives of an operation.'),
  ROUTER_MAX_SELECTIONS: count(defaultLimits.selections).describe(
    'Selections with fragments expanded.',
  ),
  ROUTER_MAX_COST: count(defaultLimits.cost).describe('Objects an operation may return.'),
  ROUTER_MAX_VARIABLES: bytes(defaultLimits.variablesBytes).describe('Variables as JSON.'),
  ROUTER_MAX_VARIABLES_DEPTH: count(defaultLimits.variablesDepth).describe('Nesting of variables.'),
  ROUTER_RATE_MODELS: count(defaultRateLimits.models).describe('Registry operations a minute.'),
  ROUTER_RATE_INFERENCE: count(defaultRateLimits.inference).describe(
    'Inference operations a minute.',
  ),
  ROUTER_RATE_DATA: count(defaultRateLimits.data).describe('Feature operations a minute.'),
  ROUTER_RATE_PLATFORM: count(defaultRateLimits.platform).describe('Other operations a minute.'),
  ROUTER_INTROSPECTION: z
    .enum(['nobody', 'authenticated', 'everybody'])
    .default('authenticated')
    .describe('Who may read the schema.'),
  ROUTER_ALLOW_ANONYMOUS: flag(false).describe('Whether operations need no credential.'),
  ROUTER_ORIGINS: list('').describe('Origins of pages that may use the graph, comma-separated.'),
  ROUTER_EXPLORER: flag(false).describe('Whether `/explorer` is served.'),
  ROUTER_TOKEN_ISSUER: z.string().default('opea:auth').describe('Issuer of accepted JWTs.'),
  ROUTER_TOKEN_AUDIENCE: z.string().default('opea').describe('Audience of accepted JWTs.'),
  ROUTER_TOKEN_ALGORITHMS: list('EdDSA').describe('Signature algorithms of accepted JWTs.'),
  ROUTER_KEY_CACHE_MS: millis(60_000).describe('How long a verified API key is believed.'),
  ROUTER_REQUEST_MS: millis(30_000).describe('Time for a query or mutation.'),
  ROUTER_MAX_ANSWER: bytes(10 * 1024 * 1024).describe('Largest answer.'),
  ROUTER_HEARTBEAT_MS: millis(12_000).describe('Time between signs of life on a quiet stream.'),
  ROUTER_STALL_MS: millis(30_000).describe(
    'Time without progress after which a reader is cut off.',
  ),
  ROUTER_SOCKET_MESSAGE: bytes(64 * 1024).describe('Largest WebSocket message.'),
  ROUTER_SOCKET_INIT_MS: millis(3_000).describe('Time for `connection_init`.'),
  ROUTER_SOCKET_OPERATIONS: count(20).describe('Operations open on a socket.'),
  ROUTER_SOCKETS: count(50).describe('Sockets and streams open for a principal.'),
} as const;

export type RouterEnvironment = z.output<z.ZodObject<typeof routerShape>>;

export const readConfig = (env: Environment): RouterEnvironment => loadConfig(routerShape, env);

/** What a router runs with when nothing is said. */
export const defaultConfig: RouterConfig = configFrom(readConfig({}));

/** The behaviour that an environment asks for. */
export function configFrom(env: RouterEnvironment): RouterConfig {
  return {
    limits: {
      ...defaultLimits,
      bodyBytes: env.ROUTER_MAX_BODY,
      bodyMs: env.ROUTER_BODY_MS,
      headers: env.ROUTER_MAX_HEADERS,
      tokens: env.ROUTER_MAX_TOKENS,
      operations: env.ROUTER_MAX_OPERATIONS,
      depth: env.ROUTER_MAX_DEPTH,
      aliases: env.ROUTER_MAX_ALIASES,
      rootFields: env.ROUTER_MAX_ROOTS,
      directives: env.ROUTER_MAX_DIRECTIVES,
      selections: env.ROUTER_MAX_SELECTIONS,
      cost: env.ROUTER_MAX_COST,
      variablesBytes: env.ROUTER_MAX_VARIABLES,
      variablesDepth: env.ROUTER_MAX_VARIABLES_DEPTH,
    },
    guardMode: env.ROUTER_GUARD_MODE,
    guardModes: Object.fromEntries(
      env.ROUTER_GUARDS_MEASURED.filter(isGuard).map((name) => [name, 'measure' as const]),
    ),
    rates: {
      models: env.ROUTER_RATE_MODELS,
      inference: env.ROUTER_RATE_INFERENCE,
      data: env.ROUTER_RATE_DATA,
      platform: env.ROUTER_RATE_PLATFORM,
    },
    introspection: env.ROUTER_INTROSPECTION,
    allowAnonymous: env.ROUTER_ALLOW_ANONYMOUS,
    origins: env.ROUTER_ORIGINS,
    explorer: env.ROUTER_EXPLORER,
    explorerKey: undefined,
    tokenIssuer: env.ROUTER_TOKEN_ISSUER,
    tokenAudience: env.ROUTER_TOKEN_AUDIENCE,
    tokenAlgorithms: env.ROUTER_TOKEN_ALGORITHMS,
    keyCacheMs: env.ROUTER_KEY_CACHE_MS,
    requestMs: env.ROUTER_REQUEST_MS,
    answerBytes: env.ROUTER_MAX_ANSWER,
    heartbeatMs: env.ROUTER_HEARTBEAT_MS,
    stallMs: env.ROUTER_STALL_MS,
    socketMessageBytes: env.ROUTER_SOCKET_MESSAGE,
    socketInitMs: env.ROUTER_SOCKET_INIT_MS,
    socketOperations: env.ROUTER_SOCKET_OPERATIONS,
    socketsPerPrincipal: env.ROUTER_SOCKETS,
  };
}

function isGuard(name: string): name is GuardName {
  return Object.hasOwn(refusals, name);
}
