/** A request that waits. */
export interface Ticket {
  /** Rows it brings, at least 1. */
  readonly rows: number;
  /** Only equal keys may share a batch. */
  readonly key: string;
  readonly tenant: string;
  /** 1 is served first, 3 last. */
  readonly priority: number;
  readonly enqueuedAt: number;
}

interface Share<T extends Ticket> {
  /** Rows served so far, in the level's virtual time: who has had least goes next. */
  served: number;
  rows: number;
  readonly byKey: Map<string, Set<T>>;
}

interface Level<T extends Ticket> {
  virtualTime: number;
  readonly tenants: Map<string, Share<T>>;
}

/**
 * Who waits, and in which order they are served: by priority, inside a priority by fair share between tenants
 * (start-time fair queueing over rows; Goyal, Vin, Cheng 1996), inside a tenant first come first served.
 */
export class WaitingList<T extends Ticket> {
  readonly #levels = new Map<number, Level<T>>();
  readonly #keys = new Map<string, { rows: number; readonly tickets: Set<T> }>();
  #rows = 0;
  #requests = 0;

  get rows(): number {
    return this.#rows;
  }

  get requests(): number {
    return this.#requests;
  }

  /** The batch keys that wait, each with its rows and the time its oldest request came. */
  *keys(): Iterable<{ readonly key: string; readonly rows: number; readonly oldestAt: number }> {
    for (const [key, { rows, tickets }] of this.#keys) {
      const oldest = first(tickets);
      if (oldest) yield { key, rows, oldestAt: oldest.enqueuedAt };
    }
  }

  has(ticket: T): boolean {
    return this.#keys.get(ticket.key)?.tickets.has(ticket) ?? false;
  }

  rowsOf(key: string): number {
    return this.#keys.get(key)?.rows ?? 0;
  }

  /** The requests of a key, oldest first. */
  ofKey(key: string): Iterable<T> {
    return this.#keys.get(key)?.tickets ?? [];
  }

  add(ticket: T): void {
    const level = this.#level(ticket.priority);
    const share = this.#share(level, ticket.tenant);
    if (share.rows === 0) share.served = Math.max(share.served, level.virtualTime);
    share.rows += ticket.rows;
    let tickets = share.byKey.get(ticket.key);
    if (!tickets) share.byKey.set(ticket.key, (tickets = new Set()));
    tickets.add(ticket);

    let bucket = this.#keys.get(ticket.key);
    if (!bucket) this.#keys.set(ticket.key, (bucket = { rows: 0, tickets: new Set() }));
    bucket.rows += ticket.rows;
    bucket.tickets.add(ticket);
    this.#rows += ticket.rows;
    this.#requests += 1;
  }

  /** Whether it was waiting. */
  remove(ticket: T): boolean {
    const bucket = this.#keys.get(ticket.key);
    if (!bucket?.tickets.delete(ticket)) return false;
    bucket.rows -= ticket.rows;
    if (bucket.tickets.size === 0) this.#keys.delete(ticket.key);

    const level = this.#level(ticket.priority);
    const share = this.#share(level, ticket.tenant);
    share.rows -= ticket.rows;
    const tickets = share.byKey.get(ticket.key);
    tickets?.delete(ticket);
    if (tickets?.size === 0) share.byKey.delete(ticket.key);
    this.#rows -= ticket.rows;
    this.#requests -= 1;
    return true;
  }

  /** Of these keys, the one whose turn it is. */
  next(keys: ReadonlySet<string>): T | undefined {
    for (const [, level] of this.#byPriority()) {
      let best: { served: number; ticket: T } | undefined;
      for (const share of level.tenants.values()) {
        for (const [key, tickets] of share.byKey) {
          const ticket = first(tickets);
          if (!ticket || !keys.has(key)) continue;
          const earlier =
            !best ||
            share.served < best.served ||
            (share.served === best.served && ticket.enqueuedAt < best.ticket.enqueuedAt);
          if (earlier) best = { served: share.served, ticket };
        }
      }
      if (best) return best.ticket;
    }
    return undefined;
  }

  /**
   * Takes requests of one key in order while `fits` accepts them. A request that does not fit holds back the later
   * ones of its tenant, so nobody overtakes inside a tenant.
   */
  take(key: string, fits: (ticket: T, rowsTaken: number) => boolean): readonly T[] {
    const taken: T[] = [];
    let rows = 0;
    for (const [, level] of this.#byPriority()) {
      const heldBack = new Set<Share<T>>();
      for (;;) {
        const turn = nextShare(level, key, heldBack);
        if (!turn) break;
        if (!fits(turn.ticket, rows)) {
          heldBack.add(turn.share);
          continue;
        }
        level.virtualTime = Math.max(level.virtualTime, turn.share.served);
        turn.share.served += turn.ticket.rows;
        this.remove(turn.ticket);
        taken.push(turn.ticket);
        rows += turn.ticket.rows;
      }
    }
    return taken;
  }

  /** Rows that will be served before a newcomer of this tenant and priority, under fair share. */
  rowsAhead(priority: number, tenant: string, rows: number): number {
    let ahead = 0;
    for (const [level, { tenants }] of this.#byPriority()) {
      if (level > priority) break;
      const mine = level === priority ? (tenants.get(tenant)?.rows ?? 0) : 0;
      for (const [name, share] of tenants) {
        const counts = level < priority || name === tenant;
        ahead += counts ? share.rows : Math.min(share.rows, mine + rows);
      }
    }
    return ahead;
  }

  /**
   * Whom to send away so that a newcomer gets a place: the youngest request of the lowest priority below the newcomer's,
   * or of the tenant that holds more of the newcomer's own priority than the newcomer's tenant would.
   */
  victimFor(newcomer: Pick<Ticket, 'priority' | 'tenant' | 'rows'>): T | undefined {
    for (const [priority, { tenants }] of [...this.#byPriority()].toReversed()) {
      if (priority < newcomer.priority) return undefined;
      const [name, greediest] = [...tenants].reduce<[string, Share<T>] | [undefined, undefined]>(
        (most, [tenant, share]) => (share.rows > (most[1]?.rows ?? 0) ? [tenant, share] : most),
        [undefined, undefined],
      );
      if (!greediest) continue;
      const victim = youngest(greediest);
      if (!victim) continue;
      if (priority > newcomer.priority) return victim;
      const mine = tenants.get(newcomer.tenant)?.rows ?? 0;
      const fairer = greediest.rows - victim.rows >= mine + newcomer.rows;
      return name !== newcomer.tenant && fairer ? victim : undefined;
    }
    return undefined;
  }

  /** Everyone who waits, oldest first within a key. */
  *[Symbol.iterator](): Iterator<T> {
    for (const { tickets } of this.#keys.values()) yield* tickets;
  }

  #level(priority: number): Level<T> {
    let level = this.#levels.get(priority);
    if (!level) this.#levels.set(priority, (level = { virtualTime: 0, tenants: new Map() }));
    return level;
  }

  #share(level: Level<T>, tenant: string): Share<T> {
    let share = level.tenants.get(tenant);
    if (!share && level.tenants.size >= 256) forgetIdle(level);
    if (!share) level.tenants.set(tenant, (share = { served: 0, rows: 0, byKey: new Map() }));
    return share;
  }

  #byPriority(): readonly (readonly [number, Level<T>])[] {
    return [...this.#levels].toSorted(([a], [b]) => a - b);
  }
}

/** A tenant with nothing waiting that is not ahead of the others needs no memory of what it had. */
function forgetIdle<T extends Ticket>(level: Level<T>): void {
  for (const [tenant, { rows, served }] of level.tenants)
    if (rows === 0 && served <= level.virtualTime) level.tenants.delete(tenant);
}

function nextShare<T extends Ticket>(level: Level<T>, key: string, not: ReadonlySet<Share<T>>) {
  let best: { share: Share<T>; ticket: T } | undefined;
  for (const share of level.tenants.values()) {
    if (not.has(share)) continue;
    const tickets = share.byKey.get(key);
    const ticket = tickets && first(tickets);
    if (!ticket) continue;
    const earlier =
      !best ||
      share.served < best.share.served ||
      (share.served === best.share.served && ticket.enqueuedAt < best.ticket.enqueuedAt);
    if (earlier) best = { share, ticket };
  }
  return best;
}

function first<T>(tickets: Iterable<T>): T | undefined {
  for (const ticket of tickets) return ticket;
  return undefined;
}

function youngest<T extends Ticket>(share: Share<T>): T | undefined {
  let last: T | undefined;
  for (const tickets of share.byKey.values())
    for (const ticket of tickets) if (!last || ticket.enqueuedAt >= last.enqueuedAt) last = ticket;
  return last;
}
