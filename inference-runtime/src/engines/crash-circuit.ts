export interface CrashCircuitOptions {
  /** Crashes within `windowMs` that open the circuit. */
  readonly crashes: number;
  readonly windowMs: number;
  /** How long the circuit rests before one more try, milliseconds. */
  readonly restMs: number;
  readonly now: () => number;
}

/** Tells a program that crashes its worker again and again from one that was unlucky once. */
export interface CrashCircuit {
  crashed(): void;
  succeeded(): void;
  /** Milliseconds until the next try is allowed; 0 while closed or half-open. */
  restsForMs(): number;
}

export function crashCircuit({
  crashes,
  windowMs,
  restMs,
  now,
}: CrashCircuitOptions): CrashCircuit {
  let recent: number[] = [];
  let openUntil = 0;

  return {
    crashed() {
      const at = now();
      recent = [...recent.filter((then) => at - then < windowMs), at];
      if (recent.length >= crashes) openUntil = at + restMs;
    },
    succeeded() {
      if (openUntil !== 0 && now() >= openUntil) {
        recent = [];
        openUntil = 0;
      }
    },
    restsForMs: () => Math.max(0, openUntil - now()),
  };
}
