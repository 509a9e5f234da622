import type { Bus, BusMessage } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import { hasCode } from '@opea/kernel/errors';
import type { Check } from '@opea/kernel/health';
import type { Logger } from '@opea/kernel/log';
import { sleep } from '@opea/kernel/resilience';
import type { ModelRef } from '@opea/schema/runtime';
import { modelNotFound } from '../errors.ts';
import { Catalogue, type CatalogueChange, type CataloguedVersion } from './catalogue.ts';
import { labelOf } from './loaded-version.ts';
import type { Lease, ModelHost } from './model-host.ts';
import { ServingTable } from './serving-table.ts';

export interface RegistryFollower extends AsyncDisposable {
  readonly catalogue: Catalogue;
  /** The version that answers a reference now; waits a little for an event under way. Rejects with MODEL_NOT_FOUND. */
  resolve(ref: ModelRef, signal: AbortSignal): Promise<CataloguedVersion>;
  /** Brings the version into use; when it cannot load and its alias pointed elsewhere before, that version answers. */
  acquire(
    ref: ModelRef,
    version: CataloguedVersion,
    signal: AbortSignal,
  ): Promise<{ version: CataloguedVersion; lease: Lease }>;
  check(): Check;
}

export interface RegistryFollowerOptions {
  readonly bus: Pick<Bus, 'read'>;
  readonly host: ModelHost;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a reference to something unknown may wait for the registry's event, ms. */
  readonly waitMs: number;
}

/** Keeps the catalogue by the registry's events and acts on the new ones: loads what is promoted, unloads what is retired. */
export function followRegistry(options: RegistryFollowerOptions): RegistryFollower {
  const { bus, host, clock, logger, waitMs } = options;
  const catalogue = new Catalogue();
  const serving = new ServingTable(catalogue);
  const stopping = new AbortController();
  const startedAt = clock().toISOString();
  const changed = new Set<() => void>();
  let failure: string | undefined;
  let after: number | 'start' = 'start';

  function take(message: BusMessage): void {
    let change: CatalogueChange | undefined;
    try {
      change = catalogue.apply(message.subject, message.data);
    } catch (reason) {
      logger.error({ err: reason, seq: message.seq }, 'a registry event breaks its contract');
    }
    after = message.seq;
    for (const notify of changed) notify();
    if (change) act(change, message.publishedAt >= startedAt);
  }

  /** What happened before this runtime started needs no loading ahead: the first request does that. */
  function act(change: CatalogueChange, isNew: boolean): void {
    if (change.type === 'retired') void host.unload(change.versionId);
    if (change.type !== 'alias-moved') return;
    const version = catalogue.version(change.versionId);
    if (version && isNew) void promote(change, version);
    else serving.switchTo(change.alias, change.versionId);
  }

  async function promote(
    { alias, versionId }: Extract<CatalogueChange, { type: 'alias-moved' }>,
    version: CataloguedVersion,
  ): Promise<void> {
    try {
      using _ = await host.acquire(version, stopping.signal);
      // A later move may have overtaken this load.
      if (catalogue.target(alias) === versionId) serving.switchTo(alias, versionId);
    } catch (reason) {
      if (!stopping.signal.aborted)
        logger.error(
          { err: reason, model: labelOf(version), alias: alias.alias },
          'a promoted version cannot serve; the version before keeps answering',
        );
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const messages = bus.read({ subjects: ['registry.>'], after, signal: stopping.signal });
        for await (const message of messages) {
          failure = undefined;
          take(message);
        }
      } catch (reason) {
        if (stopping.signal.aborted) return;
        failure = 'the registry events cannot be read';
        logger.error({ err: reason }, failure);
      }
      if (!stopping.signal.aborted) await sleep(1_000, stopping.signal).catch(() => {});
    }
  }

  async function nextChange(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        changed.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      changed.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  const following = follow();

  return {
    catalogue,
    async resolve(ref, signal) {
      const known = serving.resolve(ref);
      if (known) return known;
      const patience = AbortSignal.any([signal, stopping.signal, AbortSignal.timeout(waitMs)]);
      while (!patience.aborted) {
        await nextChange(patience);
        const appeared = serving.resolve(ref);
        if (appeared) return appeared;
      }
      throw modelNotFound({ model: describe(ref) });
    },
    async acquire(ref, version, signal) {
      try {
        return { version, lease: await host.acquire(version, signal) };
      } catch (reason) {
        const before = ref.version === undefined ? catalogue.before(ref) : undefined;
        const failed = hasCode(reason, 'MODEL_REFUSED') || hasCode(reason, 'MODEL_NOT_READY');
        if (!failed || before === undefined || before.versionId === version.versionId) throw reason;
        return { version: before, lease: await host.acquire(before, signal) };
      }
    },
    check: () => ({
      name: 'model catalogue',
      ok: failure === undefined,
      ...(failure !== undefined && { detail: failure }),
    }),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await following;
    },
  };
}

function describe({ model, alias = 'production', version }: ModelRef): string {
  return version === undefined ? `${model}@${alias}` : `${model}@${version}`;
}
