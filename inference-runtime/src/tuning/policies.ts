import type { ModelRef } from '@opea/schema/runtime';
import type { RuntimeConfig } from '../config.ts';
import { wrongModelKind } from '../errors.ts';
import type { CataloguedVersion } from '../models/catalogue.ts';
import type { LeaseModel } from '../models/lease-models.ts';
import { labelOf } from '../models/loaded-version.ts';
import type { ModelHost } from '../models/model-host.ts';
import type { RegistryFollower } from '../models/registry-follower.ts';
import { type BatchPolicy, parsePolicy } from '../scheduling/policy.ts';
import type { TuningTarget } from './choose-policy.ts';
import type { PolicyStore } from './policy-store.ts';
import { type Tuned, tuneModel } from './tune-model.ts';

/** What an operator may change while a runtime serves. */
export interface PolicyControl {
  /** Changes how a model version is batched, from the next batch on. Throws INVALID_INPUT naming the setting. */
  configure(ref: ModelRef, change: Partial<BatchPolicy>): Promise<void>;
  /** Measures a model on this machine and sets the batch size and delay with the most throughput under a latency target. */
  tune(ref: ModelRef, target: TuningTarget): Promise<Tuned>;
}

export function policyOf(
  { versionId }: Pick<CataloguedVersion, 'versionId'>,
  policies: PolicyStore,
  config: Pick<RuntimeConfig, 'batching'>,
): BatchPolicy {
  return policies.get(versionId) ?? config.batching;
}

export function policyControl(options: {
  readonly policies: PolicyStore;
  readonly registry: RegistryFollower;
  readonly host: ModelHost;
  readonly lease: LeaseModel;
  readonly config: Pick<RuntimeConfig, 'batching' | 'loadTimeoutMs'>;
}): PolicyControl {
  const { policies, registry, host, lease, config } = options;

  async function configure(ref: ModelRef, change: Partial<BatchPolicy>): Promise<void> {
    const version = await registry.resolve(ref, AbortSignal.timeout(config.loadTimeoutMs));
    const policy = parsePolicy({ ...policyOf(version, policies, config), ...change });
    for (const [loaded, { kind, model }] of host.ready())
      if (loaded.versionId === version.versionId && kind === 'TENSOR') model.configure(policy);
    await policies.set(version.versionId, policy);
  }

  return {
    configure,
    async tune(ref, target) {
      const signal = AbortSignal.timeout(config.loadTimeoutMs);
      const { version, lease: held } = await lease(ref, config.loadTimeoutMs, signal);
      using _ = held;
      const name = labelOf(version);
      const { kind, model } = held.loaded;
      if (kind !== 'TENSOR') throw wrongModelKind({ model: name, kind });
      const tuned = await tuneModel(model, { name, ...target });
      await configure(ref, tuned.policy);
      return tuned;
    },
  };
}
