import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

const pageBytes = 4_096;
const everyMs = 200;

export interface MemoryLimit {
  readonly pid: number;
  readonly maxBytes: number;
  /** Resolves when the process is gone. */
  readonly until: Promise<void>;
  /** Called once, when the process holds more. */
  readonly exceeded: () => void;
}

/** Watches the resident memory of a process as Linux tells it in `/proc`; elsewhere nothing is limited. */
export function limitMemory({ pid, maxBytes, until, exceeded }: MemoryLimit): void {
  const gone = new AbortController();
  void until.then(() => gone.abort());

  void (async () => {
    while (!gone.signal.aborted) {
      const resident = await residentBytes(pid);
      if (resident === undefined) return;
      if (resident > maxBytes) {
        exceeded();
        return;
      }
      await wait(everyMs, undefined, { ref: false, signal: gone.signal }).catch(() => {});
    }
  })();
}

/** Field 2 of `/proc/<pid>/statm`, proc(5). */
async function residentBytes(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
  const pages = Number(text?.split(' ')[1]);
  return Number.isFinite(pages) ? pages * pageBytes : undefined;
}
