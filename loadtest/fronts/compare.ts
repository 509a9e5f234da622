import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { Agent, request } from 'undici';

/**
 * Compares the router's own front with Apollo Server 5 as a front, over a graph that answers at
 * once: `npm run build && npx tsx loadtest/fronts/compare.ts`. Rounds alternate; the median counts.
 */
const connections = 50;
const requests = 3_000;
const rounds = 5;
const body = JSON.stringify({ query: '{ items { id name weight } }' });

for (const front of ['direct', 'apollo', 'direct', 'apollo']) await run(front, 1, 500, false);
const results = new Map<string, { perSecond: number; cpuMs: number }[]>([
  ['direct', []],
  ['apollo', []],
]);
for (let round = 0; round < rounds; round += 1)
  for (const [front, rows] of results) rows.push(await run(front, connections, requests, true));

for (const [front, rows] of results) {
  const perSecond = median(rows.map((row) => row.perSecond));
  const cpuMs = median(rows.map((row) => row.cpuMs));
  process.stdout.write(
    `${front}: ${perSecond.toFixed(0)} requests/s, ${cpuMs.toFixed(3)} ms CPU each\n`,
  );
}

async function run(front: string, width: number, total: number, warm: boolean) {
  const child = fork(new URL('./serve.ts', import.meta.url), [front], {
    execArgv: process.execArgv,
  });
  const { url } = await message(child);
  const agent = new Agent({ connections: width });
  if (warm) await drive(String(url), agent, width, 1_000);
  const before = await cpu(child);
  const started = performance.now();
  await drive(String(url), agent, width, total);
  const seconds = (performance.now() - started) / 1000;
  const used = (await cpu(child)) - before;
  await agent.close();
  child.kill();
  return { perSecond: total / seconds, cpuMs: used / total };
}

async function drive(url: string, agent: Agent, width: number, total: number): Promise<void> {
  let left = total;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await request(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        dispatcher: agent,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || text.length < 1_000) throw new Error(text);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function cpu(child: ChildProcess): Promise<number> {
  child.send('cpu');
  return Number((await message(child)).cpuMs);
}

async function message(child: ChildProcess): Promise<{ url?: unknown; cpuMs?: unknown }> {
  const [value] = await once(child, 'message');
  return value;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
