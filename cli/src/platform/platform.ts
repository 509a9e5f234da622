import { startAnalytics } from '@opea/analytics';
import { type AuthService, readOrMakeSealingKey, startAuth } from '@opea/auth';
import { startFeature } from '@opea/feature';
import { startInference } from '@opea/inference';
import { type ManagedRuntime, startInferenceRuntime } from '@opea/inference-runtime';
import {
  contextSigner,
  contextVerifier,
  newSigningKeys,
  type SigningKeys,
} from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { serve } from '@opea/kernel/http';
import { openStack, type Service, type Stack } from '@opea/kernel/lifecycle';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { Subgraph } from '@opea/kernel/subgraph';
import { startRegistry } from '@opea/registry';
import { type RouterConfig, startRouter } from '@opea/router';
import { supergraphSdl } from '@opea/schema/sdl';
import type { DataFolder } from './data-folder.ts';
import type { Parts } from './parts.ts';
import type { Progress } from './progress.ts';

export interface PlatformOptions {
  /** Opens what the platform stands on; it is closed with the platform. */
  readonly openParts: () => Promise<Parts>;
  readonly folder: DataFolder;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The cores that engines may use together. */
  readonly cores: number;
  readonly clock: Clock;
  /** A logger whose lines carry the service's name. */
  readonly loggerOf: (service: string) => Logger;
  readonly metrics: Metrics;
  readonly progress: Progress;
  readonly router?: Partial<RouterConfig>;
}

/** All of it in one process, on embedded parts. */
export interface Platform extends Service {
  readonly apiKey: string;
  readonly runtime: ManagedRuntime;
}

/** What every service is started with. */
interface Ground {
  readonly parts: Parts;
  readonly keys: SigningKeys;
}

/** The workspace that a fresh data folder begins with. */
export const demoWorkspace = { tenant: 'demo', principal: 'you' };

/**
 * Starts everything in the order in which it depends on each other, and stops it in the reverse order. Fails with
 * one sentence when the folder is in use, damaged or not writable, or the port is taken: then nothing is left running.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const stack = openStack({ deadlineMs: 60_000 });
  try {
    return await startAll(options, stack);
  } catch (error) {
    await Promise.resolve(stack[Symbol.asyncDispose]()).catch((late: unknown) => {
      options.loggerOf('opea').error({ err: late }, 'not everything stopped after a failed start');
    });
    throw error;
  }
}

async function startAll(options: PlatformOptions, stack: Stack): Promise<Platform> {
  const { progress, folder } = options;
  const ground = await progress.step('Opening the data folder', () => openGround(options, stack));
  const auth = await progress.step('Starting auth', () => openAuth(options, ground, stack));
  const { subgraphs, runtime } = await progress.step(
    'Starting registry, feature, inference, analytics',
    () => openSubgraphs(options, ground, stack),
  );
  const apiKey = await ownKey(auth, folder);
  const service = await progress.step('Opening the door', () =>
    openRouter({
      ...options,
      ground,
      auth,
      subgraphs: [auth.subgraph, ...subgraphs],
      apiKey,
      stack,
    }),
  );
  const before = await folder.workspace();
  await folder.save({ url: service.url, apiKey, seeded: before?.seeded ?? false });
  return {
    url: service.url,
    apiKey,
    runtime,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function openGround({ openParts }: PlatformOptions, stack: Stack): Promise<Ground> {
  return { parts: stack.use(await openParts()), keys: await newSigningKeys() };
}

async function openAuth(
  { folder, clock, loggerOf, metrics }: PlatformOptions,
  { parts, keys }: Ground,
  stack: Stack,
): Promise<AuthService> {
  const sealingKey = await readOrMakeSealingKey(folder.sealingKey);
  return stack.use(
    await startAuth({
      database: await parts.database('auth'),
      bus: parts.bus,
      verifier: verifierFor('auth', keys, clock),
      clock,
      logger: loggerOf('auth'),
      metrics,
      sealingKey,
    }),
  );
}

async function openSubgraphs(
  { folder, clock, loggerOf, metrics, cores }: PlatformOptions,
  { parts, keys }: Ground,
  stack: Stack,
): Promise<{ subgraphs: readonly Subgraph[]; runtime: ManagedRuntime }> {
  const { bus, objects } = parts;
  const common = (service: string) => ({
    bus,
    clock,
    metrics,
    verifier: verifierFor(service, keys, clock),
    logger: loggerOf(service),
  });
  const registry = stack.use(
    await startRegistry({
      ...common('registry'),
      database: await parts.database('registry'),
      objects,
    }),
  );
  const feature = stack.use(
    await startFeature({ ...common('feature'), database: await parts.database('feature') }),
  );
  const analytics = stack.use(
    await startAnalytics({
      ...common('analytics'),
      database: await parts.database('analytics'),
    }),
  );
  const runtime = stack.use(
    await startInferenceRuntime({
      objects,
      bus,
      cacheFolder: folder.modelCache,
      clock,
      logger: loggerOf('inference-runtime'),
      metrics,
      cores,
    }),
  );
  const inference = stack.use(
    await startInference({
      ...common('inference'),
      database: await parts.database('inference'),
      runtime,
    }),
  );
  const subgraphs = [registry, feature, analytics, inference].map(({ subgraph }) => subgraph);
  return { subgraphs, runtime };
}

async function openRouter(
  options: PlatformOptions & {
    readonly ground: Ground;
    readonly auth: AuthService;
    readonly subgraphs: readonly Subgraph[];
    readonly apiKey: string;
    readonly stack: Stack;
  },
): Promise<Service> {
  const { ground, auth, subgraphs, apiKey, stack, clock, loggerOf, metrics, host, port } = options;
  const sources = Object.fromEntries(subgraphs.map(({ name, endpoint }) => [name, endpoint]));
  const listenerOf = (name: string) => {
    const subgraph = subgraphs.find((one) => one.name === name);
    if (!subgraph) throw new Error(`There is no subgraph ${name}`);
    return subgraph.listener;
  };
  const router = stack.use(
    await startRouter({
      supergraph: { sdl: supergraphSdl },
      sources,
      identity: auth.identity,
      signer: contextSigner({ ...ground.keys, clock }),
      bus: ground.parts.bus,
      cache: ground.parts.cache,
      clock,
      logger: loggerOf('router'),
      metrics,
      mounts: [
        { prefix: '/artifacts', target: listenerOf('registry') },
        { prefix: '/auth', target: listenerOf('auth') },
      ],
      config: { explorerKey: apiKey, ...options.router },
    }),
  );
  return stack.use(await serve(router.listener, { host, port, onUpgrade: router.onUpgrade }));
}

/** The workspace's key: the one kept, or a new one when there is none or it was lost. */
async function ownKey(auth: AuthService, folder: DataFolder): Promise<string> {
  const kept = await folder.workspace();
  if (kept && (await works(auth, kept.apiKey))) return kept.apiKey;
  const { apiKey } = await auth.bootstrap({ ...demoWorkspace, renewKey: true });
  if (!apiKey) throw new Error('The workspace has no key');
  return apiKey;
}

async function works(auth: AuthService, apiKey: string): Promise<boolean> {
  return auth.identity.exchange(apiKey).then(
    () => true,
    () => false,
  );
}

const verifierFor = (service: string, keys: SigningKeys, clock: Clock) =>
  contextVerifier({ publicKey: keys.publicKey, audience: `opea:${service}`, clock });
