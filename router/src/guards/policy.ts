import { PlatformError } from '@opea/kernel/errors';
import { type GuardName, refusals } from '../errors.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** `measure` counts what would have been refused and lets it pass. */
export type GuardMode = 'enforce' | 'measure' | 'off';

export interface GuardPolicy {
  readonly limits: Limits;
  /** The refusal to throw for a violated guard, or nothing when it only measures. */
  refusalFor(name: GuardName): PlatformError | undefined;
  /** Throws for the first violated guard that is enforced. */
  demand(violated: readonly GuardName[]): void;
  /** Throws as `demand` does, with the time after which trying again makes sense. */
  demandLater(name: GuardName, retryAfterMs: number): void;
  isOff(name: GuardName): boolean;
}

export interface GuardPolicyOptions {
  readonly limits?: Partial<Limits>;
  readonly mode?: GuardMode;
  readonly modes?: Readonly<Partial<Record<GuardName, GuardMode>>>;
  readonly onViolation?: (name: GuardName, mode: GuardMode) => void;
}

/** Which guards refuse, which only count, and where their limits are. */
export function guardPolicy(options: GuardPolicyOptions = {}): GuardPolicy {
  const modeOf = (name: GuardName): GuardMode => options.modes?.[name] ?? options.mode ?? 'enforce';
  const refusalFor = (name: GuardName) => {
    const mode = modeOf(name);
    if (mode === 'off') return undefined;
    options.onViolation?.(name, mode);
    return mode === 'enforce' ? refusals[name]() : undefined;
  };
  return {
    limits: { ...defaultLimits, ...options.limits },
    refusalFor,
    demand(violated) {
      for (const name of violated) {
        const refusal = refusalFor(name);
        if (refusal !== undefined) throw refusal;
      }
    },
    demandLater(name, retryAfterMs) {
      const refusal = refusalFor(name);
      if (refusal === undefined) return;
      throw new PlatformError(refusal.kind, refusal.message, { details: { retryAfterMs } });
    },
    isOff: (name) => modeOf(name) === 'off',
  };
}
