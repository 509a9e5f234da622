export interface Admission {
  readonly tenant: string;
  /** 1 is served first, 3 last. */
  readonly priority: number;
  /** Expected work in tokens: what a tenant's share is charged. */
  readonly cost: number;
}

export interface AdmissionQueueOptions {
  readonly maxQueued: number;
  /** Most places of the queue that one tenant may take. */
  readonly maxQueuedPerTenant: number;
}

export interface AdmissionQueue<Entry extends Admission> {
  readonly size: number;
  /** False when there is no place. */
  push(entry: Entry): boolean;
  /** The next to serve. */
  take(): Entry | undefined;
  /** Whether the entry was waiting. */
  remove(entry: Entry): boolean;
}

interface Tenant<Entry> {
  readonly waiting: Entry[];
  /** Work served so far in virtual time. */
  served: number;
}

/**
 * Who generates next: strictly by priority; inside a priority each tenant gets its share of the work, whatever it queues
 * (start-time fair queueing, Goyal et al. 1996); inside a tenant, who came first.
 */
export function createAdmissionQueue<Entry extends Admission>({
  maxQueued,
  maxQueuedPerTenant,
}: AdmissionQueueOptions): AdmissionQueue<Entry> {
  const levels = new Map<number, Map<string, Tenant<Entry>>>();
  const held = new Map<string, number>();
  let size = 0;
  let virtualTime = 0;

  const count = (tenant: string, change: number) => {
    size += change;
    const left = (held.get(tenant) ?? 0) + change;
    if (left > 0) held.set(tenant, left);
    else held.delete(tenant);
  };

  return {
    get size() {
      return size;
    },
    push(entry) {
      if (size >= maxQueued || (held.get(entry.tenant) ?? 0) >= maxQueuedPerTenant) return false;
      const level = levels.get(entry.priority) ?? new Map<string, Tenant<Entry>>();
      levels.set(entry.priority, level);
      const tenant = level.get(entry.tenant) ?? { waiting: [], served: virtualTime };
      level.set(entry.tenant, tenant);
      if (tenant.waiting.length === 0) tenant.served = Math.max(tenant.served, virtualTime);
      tenant.waiting.push(entry);
      count(entry.tenant, 1);
      return true;
    },
    take() {
      const level = levels.get(Math.min(...levels.keys()));
      const [name, tenant] =
        [...(level ?? [])]
          .filter(([, { waiting }]) => waiting.length > 0)
          .toSorted(([, a], [, b]) => a.served - b.served)[0] ?? [];
      const entry = tenant?.waiting.shift();
      if (level === undefined || name === undefined || tenant === undefined || entry === undefined)
        return undefined;
      virtualTime = tenant.served;
      tenant.served += entry.cost;
      count(entry.tenant, -1);
      forgetIdle(levels, entry.priority, virtualTime);
      return entry;
    },
    remove(entry) {
      const waiting = levels.get(entry.priority)?.get(entry.tenant)?.waiting ?? [];
      const index = waiting.indexOf(entry);
      if (index < 0) return false;
      waiting.splice(index, 1);
      count(entry.tenant, -1);
      forgetIdle(levels, entry.priority, virtualTime);
      return true;
    },
  };
}

/** A tenant with nothing waiting is remembered only while it is ahead of the others. */
function forgetIdle<Entry>(
  levels: Map<number, Map<string, Tenant<Entry>>>,
  priority: number,
  virtualTime: number,
): void {
  const level = levels.get(priority);
  if (level === undefined) return;
  for (const [name, { waiting, served }] of level)
    if (waiting.length === 0 && served <= virtualTime) level.delete(name);
  if (![...level.values()].some(({ waiting }) => waiting.length > 0)) levels.delete(priority);
}
