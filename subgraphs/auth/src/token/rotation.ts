import { instantOf } from '@opea/kernel/clock';

/** When a signing key begins to sign; it is published before. */
export interface RotatingKey {
  readonly kid: string;
  readonly activeFrom: Date;
}

export interface RotationPolicy {
  /** How long a key signs before its successor takes over. */
  readonly rotateAfterMs: number;
  /** How long a successor is published before it signs, so that verifiers have fetched it. */
  readonly leadMs: number;
  /** How long a key stays published after its last signature: at least a token's life. */
  readonly keepMs: number;
}

export interface Rotation {
  /** When a key to be made begins to sign; `undefined` when none is due. */
  readonly makeFrom: Date | undefined;
  readonly drop: readonly string[];
}

/** What has to be done to the keys now. */
export function planRotation(
  keys: readonly RotatingKey[],
  now: Date,
  { rotateAfterMs, leadMs, keepMs }: RotationPolicy,
): Rotation {
  const newest = keys.reduce(
    (latest, key) => Math.max(latest, key.activeFrom.getTime()),
    -Infinity,
  );
  const due = newest + rotateAfterMs <= now.getTime() + leadMs;
  const start = Math.max(now.getTime() + leadMs, newest + rotateAfterMs);
  const signer = signingKey(keys, now);
  const drop = keys.filter(
    (key) =>
      signer &&
      key.activeFrom < signer.activeFrom &&
      signer.activeFrom.getTime() + keepMs <= now.getTime(),
  );
  return {
    makeFrom: keys.length === 0 ? now : due ? instantOf(start) : undefined,
    drop: drop.map(({ kid }) => kid),
  };
}

/** The key that signs now: of those that have begun, the one that began last. */
export function signingKey<Key extends RotatingKey>(
  keys: readonly Key[],
  now: Date,
): Key | undefined {
  return keys
    .filter(({ activeFrom }) => activeFrom <= now)
    .reduce<Key | undefined>(
      (latest, key) => (latest && latest.activeFrom >= key.activeFrom ? latest : key),
      undefined,
    );
}
