import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { newDatabase, required } from './on-servers.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every service as a process of its own, on the servers that the environment names. */
export interface Processes extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  /** Ends one process at once, as a crash does. */
  kill(service: string): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

/** Starts the built services, makes a tenant, and waits until the router is ready. */
export async function startProcesses(folder: string): Promise<Processes> {
  const plan = await planOf(folder);
  const running = new Map<string, ChildProcess>();
  const launch = (name: string, script: string, env: Environment) => {
    const child = spawn(process.execPath, [`${root}${script}`], { env, stdio: 'ignore' });
    running.set(name, child);
  };
  for (const [name, { script, env }] of Object.entries(plan.services)) launch(name, script, env);
  const stop = async (child: ChildProcess, signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  };
  const stopAll = async () => {
    await Promise.all([...running.values()].map((child) => stop(child, 'SIGTERM')));
  };
  try {
    await Promise.all(plan.ready.map(answers));
    const apiKey = await firstKey(plan.services.auth.env);
    return {
      url: plan.url,
      apiKey,
      async kill(service) {
        const child = running.get(service);
        if (child) await stop(child, 'SIGKILL');
      },
      [Symbol.asyncDispose]: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

const subgraphNames = ['auth', 'registry', 'feature', 'analytics', 'inference'] as const;

async function planOf(folder: string) {
  const name = `procs${randomBytes(5).toString('hex')}`;
  const databaseUrl = await newDatabase(name);
  const ports = await Promise.all([...subgraphNames, 'runtime', 'router'].map(() => freePort()));
  const at = (index: number) => `http://127.0.0.1:${ports[index]}`;
  const keys = contextKeys();
  const common = { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'error' };
  const s3 = {
    S3_URL: required('S3_URL'),
    S3_BUCKET: name,
    S3_ACCESS_KEY: required('S3_ACCESS_KEY'),
    S3_SECRET_KEY: required('S3_SECRET_KEY'),
  };
  const subgraph = (index: number, more: Environment = {}) => ({
    script: `subgraphs/${subgraphNames[index]}/dist/main.js`,
    env: {
      ...common,
      PORT: String(ports[index]),
      DATABASE_URL: databaseUrl,
      NATS_URL: required('NATS_URL'),
      CONTEXT_JWKS: keys.CONTEXT_JWKS,
      ...more,
    },
  });
  return {
    url: at(6),
    ready: ports.map((_port, index) => `${at(index)}/health/live`),
    services: {
      auth: subgraph(0, { AUTH_SEALING_KEY: randomBytes(32).toString('base64') }),
      registry: subgraph(1, s3),
      feature: subgraph(2),
      analytics: subgraph(3),
      inference: subgraph(4, { RUNTIME_URL: at(5) }),
      runtime: {
        script: 'inference-runtime/dist/main.js',
        env: {
          ...common,
          ...s3,
          PORT: String(ports[5]),
          NATS_URL: required('NATS_URL'),
          RUNTIME_CACHE_FOLDER: folder,
        },
      },
      router: {
        script: 'router/dist/main.js',
        env: {
          ...common,
          PORT: String(ports[6]),
          NATS_URL: required('NATS_URL'),
          REDIS_URL: required('REDIS_URL'),
          SUPERGRAPH: `${root}schema/supergraph.graphql`,
          SUBGRAPHS: subgraphNames.map((one, index) => `${one}=${at(index)}/graphql`).join(','),
          CONTEXT_KEY: keys.CONTEXT_KEY,
        },
      },
    },
  };
}

/** What `scripts/context-keys.mjs` prints, as an operator would use it. */
function contextKeys(): { readonly CONTEXT_KEY: string; readonly CONTEXT_JWKS: string } {
  const printed = execFileSync(process.execPath, [`${root}scripts/context-keys.mjs`]).toString();
  const valueOf = (name: string) => new RegExp(`^${name}='(.*)'$`, 'm').exec(printed)?.[1] ?? '';
  return { CONTEXT_KEY: valueOf('CONTEXT_KEY'), CONTEXT_JWKS: valueOf('CONTEXT_JWKS') };
}

async function firstKey(env: Environment): Promise<string> {
  const script = `${root}subgraphs/auth/dist/bootstrap-main.js`;
  const child = spawn(process.execPath, [script, 'acme', 'admin'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (part: Buffer) => {
    printed += part.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return printed.trim();
}

async function answers(address: string): Promise<void> {
  const ask = () =>
    fetch(address).then(
      (response) => response.ok,
      () => false,
    );
  await until(ask, Boolean, { withinMs: 90_000, everyMs: 200 });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return address.port;
}
