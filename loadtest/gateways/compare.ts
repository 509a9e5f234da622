import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';

import { query } from './fixture.ts';

// Compares gateways on one core each, in interleaved rounds. CPU comes from /proc, so it holds on a busy machine
// where requests per second do not.
//   npx tsx --conditions=source loadtest/gateways/compare.ts --seconds 5 --rounds 3

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '50' },
  },
});

const peers = [
  { name: 'opea engine', script: './serve-engine.ts', extra: [] },
  { name: 'opea engine, dedup', script: './serve-engine.ts', extra: ['dedup'] },
  { name: '@apollo/gateway', script: './serve-apollo.ts', extra: [] },
] as const;

interface Figures {
  requests: number;
  seconds: number;
  cpuMs: number;
  rssMiB: number;
  readonly latencies: number[];
}

const children: ChildProcess[] = [];
try {
  const ports = JSON.stringify(await start('./prepared-subgraphs.ts', [], '1'));
  const opened = [];
  for (const peer of peers) {
    const child = launch(peer.script, [ports, ...peer.extra], '0');
    const { port } = await firstLine(child);
    opened.push({
      ...peer,
      child,
      pool: new Pool(`http://127.0.0.1:${port}`, { connections: 50 }),
    });
  }
  const bodies = new Set<string>();
  for (const { pool } of opened) bodies.add(canonical(await ask(pool)));
  print(
    `answers: ${bodies.size === 1 ? 'all equal' : 'DIFFERENT'}, ${[...bodies][0]?.length ?? 0} bytes`,
  );

  for (const connections of [1, Number(values.connections)]) {
    const figures = new Map<string, Figures>();
    for (const { name } of opened) {
      figures.set(name, { requests: 0, seconds: 0, cpuMs: 0, rssMiB: 0, latencies: [] });
    }
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { name, child, pool } of opened) {
        const figure = figures.get(name);
        if (figure) await measure(child, pool, connections, figure);
      }
    }
    print(`\n${connections} connections`);
    for (const [name, figure] of figures) print(line(name, figure));
  }
  for (const { pool } of opened) await pool.destroy();
} finally {
  for (const child of children) child.kill('SIGKILL');
}

async function measure(
  child: ChildProcess,
  pool: Pool,
  connections: number,
  figure: Figures,
): Promise<void> {
  for (let index = 0; index < 20; index++) await ask(pool);
  const cpuBefore = cpuMs(child.pid);
  const startedAt = performance.now();
  const endAt = startedAt + Number(values.seconds) * 1_000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endAt) {
        const sentAt = performance.now();
        await ask(pool);
        figure.latencies.push(performance.now() - sentAt);
        figure.requests += 1;
      }
    }),
  );
  figure.seconds += (performance.now() - startedAt) / 1_000;
  figure.cpuMs += cpuMs(child.pid) - cpuBefore;
  figure.rssMiB = Math.max(figure.rssMiB, rssMiB(child.pid));
}

function line(
  name: string,
  { requests, seconds, cpuMs: cpu, rssMiB: rss, latencies }: Figures,
): string {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return [
    name.padEnd(20),
    `${(requests / seconds).toFixed(0).padStart(6)} requests/s`,
    `${(cpu / requests).toFixed(2).padStart(6)} ms CPU`,
    `p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)} ms`,
    `${rss.toFixed(0)} MiB`,
  ].join('  ');
}

async function ask(pool: Pool): Promise<string> {
  const response = await pool.request({
    path: '/',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.body.text();
}

function canonical(body: string): string {
  return JSON.stringify(JSON.parse(body).data);
}

async function start(script: string, extra: readonly string[], core: string) {
  return firstLine(launch(script, extra, core));
}

function launch(script: string, extra: readonly string[], core: string): ChildProcess {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const node = [process.execPath, '--conditions=source', '--import', 'tsx', file, ...extra];
  const child = spawn('taskset', ['-c', core, ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, APOLLO_TELEMETRY_DISABLED: 'true', NODE_ENV: 'production' },
  });
  children.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<Record<string, number>> {
  if (!child.stdout) throw new Error('The process has no output');
  for await (const text of createInterface({ input: child.stdout })) {
    if (text.startsWith('{')) return JSON.parse(text);
  }
  throw new Error('The process ended');
}

/** User and system time of the process, in clock ticks of 10 ms (proc(5)). */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
