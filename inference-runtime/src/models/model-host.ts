import { PlatformError } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';
import { abortable } from '@opea/kernel/resilience';
import type { ServedVersion } from '@opea/schema/runtime';
import { modelNotReady, unavailable } from '../errors.ts';
import type { Timing } from '../timing/timing.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { CataloguedVersion } from './catalogue.ts';
import { type LoadedVersion, type LoadVersion, labelOf } from './loaded-version.ts';
import type { MemoryBudget } from './memory-budget.ts';

export interface ModelHostOptions {
  readonly cache: ArtifactCache;
  readonly load: LoadVersion;
  readonly budget: MemoryBudget;
  readonly isPinned: (version: CataloguedVersion) => boolean;
  readonly timing: Timing;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly loadTimeoutMs: number;
  /** How long a version that failed to load is left alone before the next try, ms. */
  readonly retryLoadAfterMs: number;
  /** How long an unload waits for the requests that run on the version, ms. */
  readonly drainMs: number;
  readonly observer?: {
    loaded?(label: string, ms: number): void;
    loadFailed?(label: string): void;
    unloaded?(label: string): void;
  };
}

/** Use of a loaded version; it stays in memory until the lease is given back. */
export interface Lease extends Disposable {
  readonly loaded: LoadedVersion;
}

type Status =
  | { readonly state: 'LOADING'; readonly loading: Promise<LoadedVersion> }
  | { readonly state: 'READY'; readonly loaded: LoadedVersion }
  | { readonly state: 'UNLOADING'; readonly unloading: Promise<void> }
  | { readonly state: 'FAILED'; readonly error: Error; readonly failedAt: number };

interface Slot {
  readonly version: CataloguedVersion;
  status: Status;
  /** Leases out, and requests that wait for the load. */
  uses: number;
  onIdle: () => void;
}

/** Which versions are in memory: loads on demand, evicts the least recently used, never one that is in use. */
export class ModelHost implements AsyncDisposable {
  readonly #options: ModelHostOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #closing = new AbortController();

  constructor(options: ModelHostOptions) {
    this.#options = options;
  }

  state(versionId: string): { readonly state: ServedVersion['state']; readonly reason?: string } {
    const status = this.#slots.get(versionId)?.status;
    if (status === undefined || status.state === 'UNLOADING') return { state: 'UNLOADED' };
    if (status.state === 'FAILED') return { state: 'FAILED', reason: status.error.message };
    return { state: status.state };
  }

  /** The loaded versions. */
  *ready(): Iterable<readonly [CataloguedVersion, LoadedVersion]> {
    for (const { version, status } of this.#slots.values())
      if (status.state === 'READY') yield [version, status.loaded];
  }

  /** At once, when the version is in memory. */
  leaseIfReady(version: CataloguedVersion): Lease | undefined {
    const slot = this.#slots.get(version.versionId);
    return slot?.status.state === 'READY' ? this.#lease(slot, slot.status.loaded) : undefined;
  }

  /** Loads when needed. Rejects with MODEL_NOT_READY, MODEL_REFUSED, UNAVAILABLE, CANCELLED. */
  async acquire(version: CataloguedVersion, signal: AbortSignal): Promise<Lease> {
    for (;;) {
      signal.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      const slot = this.#slots.get(version.versionId) ?? this.#load(version);
      const { status } = slot;
      if (status.state === 'READY') return this.#lease(slot, status.loaded);
      if (status.state === 'UNLOADING') await abortable(status.unloading, signal);
      else if (status.state === 'FAILED') {
        const { timing, retryLoadAfterMs } = this.#options;
        if (timing.now() - status.failedAt < retryLoadAfterMs) throw status.error;
        this.#slots.delete(version.versionId);
      } else {
        // Held while it loads, so that nothing evicts it before its first use.
        slot.uses += 1;
        try {
          await abortable(status.loading, signal);
        } finally {
          release(slot);
        }
      }
    }
  }

  /** Takes no new request, lets those that run finish, then frees the memory. */
  async unload(versionId: string): Promise<void> {
    const slot = this.#slots.get(versionId);
    if (slot === undefined) return;
    if (slot.status.state === 'LOADING') await slot.status.loading.catch(() => {});
    const { status } = slot;
    if (status.state === 'FAILED') this.#slots.delete(versionId);
    if (status.state === 'UNLOADING') await status.unloading;
    if (status.state !== 'READY') return;
    const unloading = this.#unload(slot, status.loaded);
    slot.status = { state: 'UNLOADING', unloading };
    await unloading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(unavailable({ reason: 'the runtime stops', retryAfterMs: 1_000 }));
    await Promise.all([...this.#slots.keys()].map((versionId) => this.unload(versionId)));
  }

  #lease(slot: Slot, loaded: LoadedVersion): Lease {
    const { budget, timing } = this.#options;
    slot.uses += 1;
    budget.touch(slot.version.versionId, timing.now());
    let returned = false;
    return {
      loaded,
      [Symbol.dispose]() {
        if (returned) return;
        returned = true;
        release(slot);
      },
    };
  }

  #load(version: CataloguedVersion): Slot {
    const { timing } = this.#options;
    const loading = this.#bringIn(version);
    const slot: Slot = {
      version,
      uses: 0,
      onIdle: () => {},
      status: { state: 'LOADING', loading },
    };
    this.#slots.set(version.versionId, slot);
    void follow();
    return slot;

    async function follow(): Promise<void> {
      try {
        slot.status = { state: 'READY', loaded: await loading };
      } catch (reason) {
        const error = asNotReady(labelOf(version), reason);
        slot.status = { state: 'FAILED', error, failedAt: timing.now() };
      }
    }
  }

  async #bringIn(version: CataloguedVersion): Promise<LoadedVersion> {
    const { timing, budget, logger, observer, isPinned, loadTimeoutMs } = this.#options;
    const { versionId } = version;
    const label = labelOf(version);
    const startedAt = timing.now();
    try {
      const estimate = version.files.reduce((sum, { size }) => sum + size, 0);
      await this.#makeRoom(estimate, label);
      const pinned = isPinned(version);
      budget.add(versionId, { bytes: estimate, pinned }, timing.now());
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(loadTimeoutMs)]);
      const loaded = await this.#open(version, signal);
      budget.add(versionId, { bytes: loaded.bytes, pinned }, timing.now());
      const ms = timing.now() - startedAt;
      observer?.loaded?.(label, ms);
      logger.info({ model: label, ms: Math.round(ms), bytes: loaded.bytes }, 'model loaded');
      return loaded;
    } catch (reason) {
      budget.remove(versionId);
      observer?.loadFailed?.(label);
      logger.error({ err: reason, model: label }, 'model failed to load');
      throw asNotReady(label, reason);
    }
  }

  async #open(version: CataloguedVersion, signal: AbortSignal): Promise<LoadedVersion> {
    const { cache, load } = this.#options;
    const files = await Promise.all(version.files.map((file) => cache.fetch(file, signal)));
    const opening = load(version, files, signal);
    try {
      return await abortable(opening, signal);
    } catch (reason) {
      // One that comes after all has nobody to serve.
      void opening.then(
        ({ model }) => model[Symbol.asyncDispose](),
        () => {},
      );
      throw reason;
    }
  }

  async #makeRoom(bytes: number, label: string): Promise<void> {
    const { budget } = this.#options;
    if (bytes > budget.maxBytes)
      throw modelNotReady({ model: label, reason: 'it is larger than the memory budget' });
    const inUse = (id: string) => {
      const slot = this.#slots.get(id);
      return slot?.status.state !== 'READY' || slot.uses > 0;
    };
    const evictions = budget.evictionsFor(bytes, inUse);
    if (evictions === undefined)
      throw unavailable({ reason: 'every model in memory is in use', retryAfterMs: 1_000 });
    await Promise.all(evictions.map((versionId) => this.unload(versionId)));
  }

  async #unload(slot: Slot, loaded: LoadedVersion): Promise<void> {
    const { budget, logger, observer, timing, drainMs } = this.#options;
    const label = labelOf(slot.version);
    await new Promise<void>((resolve) => {
      if (slot.uses === 0) {
        resolve();
        return;
      }
      const stop = timing.after(drainMs, resolve);
      slot.onIdle = () => {
        stop();
        resolve();
      };
    });
    try {
      await loaded.model[Symbol.asyncDispose]();
    } catch (reason) {
      logger.warn({ err: reason, model: label }, 'model did not unload cleanly');
    }
    budget.remove(slot.version.versionId);
    this.#slots.delete(slot.version.versionId);
    observer?.unloaded?.(label);
    logger.info({ model: label }, 'model unloaded');
  }
}

function release(slot: Slot): void {
  slot.uses -= 1;
  if (slot.uses === 0) slot.onIdle();
}

function asNotReady(label: string, reason: unknown): Error {
  if (reason instanceof PlatformError && reason.kind.code !== 'CANCELLED') return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  return modelNotReady({ model: label, reason: message }, reason);
}
