import { silentLogger } from '@opea/kernel/log';
import { expect, test } from 'vitest';
import { manualTiming } from '../timing/manual-timing.ts';
import type { CataloguedVersion } from './catalogue.ts';
import type { LoadedVersion } from './loaded-version.ts';
import { MemoryBudget } from './memory-budget.ts';
import { ModelHost } from './model-host.ts';

const { signal } = new AbortController();

const version = (name: string, bytes = 4): CataloguedVersion => ({
  versionId: name,
  modelId: name,
  tenant: 't',
  model: name,
  number: 1,
  kind: 'TENSOR',
  files: [{ name: 'model.onnx', digest: `sha256:${'0'.repeat(64)}`, size: bytes }],
  signature: { inputs: [], outputs: [] },
});

/** A host over models that are nothing but a name. */
function hostOf({ maxBytes = 10, fails = new Set<string>(), pinned = new Set<string>() } = {}) {
  const timing = manualTiming();
  const loads: string[] = [];
  const disposals: string[] = [];
  const host = new ModelHost({
    cache: { fetch: async (file) => ({ ...file, path: '' }) },
    async load({ model, files }) {
      loads.push(model);
      if (fails.has(model)) throw new Error('broken file');
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      const loaded = {
        async [Symbol.asyncDispose]() {
          disposals.push(model);
        },
      };
      return { kind: 'TENSOR', bytes, model: loaded } as unknown as LoadedVersion;
    },
    budget: new MemoryBudget(maxBytes),
    isPinned: ({ model }) => pinned.has(model),
    timing,
    logger: silentLogger,
    loadTimeoutMs: 10_000,
    retryLoadAfterMs: 1_000,
    drainMs: 30_000,
  });
  const use = async (name: string, bytes?: number) => {
    using _ = await host.acquire(version(name, bytes), signal);
  };
  return { host, timing, loads, disposals, use };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'OK',
    ({ kind }: { kind: { code: string } }) => kind.code,
  );

test('a version is loaded by its first request, once', async () => {
  const { host, loads, use } = hostOf();
  expect(host.state('a').state).toBe('UNLOADED');

  await Promise.all([use('a'), use('a'), use('a')]);

  expect(loads).toEqual(['a']);
  expect(host.state('a').state).toBe('READY');
});

test('the least recently used leaves when another needs its place', async () => {
  const { timing, disposals, use } = hostOf();
  await use('a');
  timing.advance(1);
  await use('b');
  timing.advance(1);
  await use('a');
  timing.advance(1);

  await use('c');

  expect(disposals).toEqual(['b']);
});

test('a version in use is never evicted; the newcomer is told to try again', async () => {
  const { host, disposals, use } = hostOf();
  using _a = await host.acquire(version('a'), signal);
  using _b = await host.acquire(version('b'), signal);

  expect(await codeOf(use('c'))).toBe('UNAVAILABLE');
  expect(disposals).toEqual([]);
});

test('a pinned version is never evicted', async () => {
  const { timing, disposals, use } = hostOf({ pinned: new Set(['a']) });
  await use('a');
  timing.advance(1);
  await use('b');
  timing.advance(1);

  await use('c');

  expect(disposals).toEqual(['b']);
});

test('one larger than the whole budget is refused and evicts nobody', async () => {
  const { disposals, use } = hostOf();
  await use('a');

  expect(await codeOf(use('huge', 11))).toBe('MODEL_NOT_READY');
  expect(disposals).toEqual([]);
});

test('a failed load is told with its reason, is not repeated at once, and is tried again later', async () => {
  const fails = new Set(['a']);
  const { host, timing, loads, use } = hostOf({ fails });

  expect(await codeOf(use('a'))).toBe('MODEL_NOT_READY');
  expect(await codeOf(use('a'))).toBe('MODEL_NOT_READY');
  expect(host.state('a')).toMatchObject({
    state: 'FAILED',
    reason: expect.stringContaining('broken file'),
  });
  expect(loads).toEqual(['a']);
  fails.clear();
  timing.advance(1_000);

  expect(await codeOf(use('a'))).toBe('OK');
});

test('an unload waits for the requests that run, and takes no new ones meanwhile', async () => {
  const { host, disposals, loads, use } = hostOf();
  const lease = await host.acquire(version('a'), signal);
  const unloaded = host.unload('a');
  const next = use('a');
  await Promise.resolve();
  expect(disposals).toEqual([]);

  lease[Symbol.dispose]();
  await unloaded;
  await next;

  expect(disposals).toEqual(['a']);
  expect(loads).toEqual(['a', 'a']);
});

test('a request that gives up does not stop the load for the others', async () => {
  const { host, use } = hostOf();
  const aborter = new AbortController();
  const gone = codeOf(host.acquire(version('a'), aborter.signal));
  const stays = codeOf(use('a'));
  aborter.abort();

  expect(await gone).toBe('CANCELLED');
  expect(await stays).toBe('OK');
});

test('disposing frees every version', async () => {
  const { host, disposals, use } = hostOf();
  await use('a');
  await use('b');

  await host[Symbol.asyncDispose]();

  expect(disposals.toSorted()).toEqual(['a', 'b']);
});
