import type { ModelRef } from '@opea/schema/runtime';
import { cancelled, deadlineExceeded } from '../errors.ts';
import type { Timing } from '../timing/timing.ts';
import type { CataloguedVersion } from './catalogue.ts';
import { labelOf } from './loaded-version.ts';
import type { Lease, ModelHost } from './model-host.ts';
import type { RegistryFollower } from './registry-follower.ts';

export interface VersionLease {
  readonly version: CataloguedVersion;
  readonly lease: Lease;
}

/** Binds a request to a loaded version for as long as it takes. The deadline covers the load. */
export type LeaseModel = (
  ref: ModelRef,
  deadlineMs: number,
  signal: AbortSignal,
) => Promise<VersionLease>;

export function leaseModels({
  registry,
  host,
  timing,
}: {
  readonly registry: RegistryFollower;
  readonly host: ModelHost;
  readonly timing: Timing;
}): LeaseModel {
  return async (ref, deadlineMs, signal) => {
    if (signal.aborted) throw cancelled({}, signal.reason);
    const version = await registry.resolve(ref, signal);
    const ready = host.leaseIfReady(version);
    if (ready) return { version, lease: ready };
    const timeout = new AbortController();
    const stop = timing.after(deadlineMs, () =>
      timeout.abort(deadlineExceeded({ model: labelOf(version), stage: 'QUEUED' })),
    );
    try {
      return await registry.acquire(ref, version, AbortSignal.any([signal, timeout.signal]));
    } finally {
      stop();
    }
  };
}
