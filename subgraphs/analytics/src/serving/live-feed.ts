import type { Bus, BusMessage } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import type { Logger } from '@opea/kernel/log';
import { served } from '@opea/schema/events';
import { type ServingMetrics, summarise } from './serving-metrics.ts';
import { type ServedItem, slicesOf } from './slice.ts';

export interface ServingUpdate {
  readonly versionId: string;
  readonly metrics: ServingMetrics;
}

export interface LiveOptions {
  readonly tenant: string;
  /** The model's name; all without it. */
  readonly model: string | undefined;
  /** The length of a period, in ms. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** What is being served right now, shared by everyone who watches: one reader of the bus per process. */
export interface LiveFeed extends AsyncDisposable {
  /** One update per version and period with anything new. `return()` answers at once. */
  watch(options: LiveOptions): AsyncIterableIterator<ServingUpdate>;
}

export function liveFeed(deps: { bus: Bus; clock: Clock; logger: Logger }): LiveFeed {
  const { bus, clock, logger } = deps;
  const watchers = new Set<(tenant: string, items: readonly ServedItem[]) => void>();
  const closing = new AbortController();
  const reading = read().catch((error: unknown) => {
    logger.error({ err: error }, 'the live feed of serving metrics stopped');
  });

  return {
    watch: (options) => watch({ ...options, clock, watchers, closing: closing.signal }),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await reading;
    },
  };

  /** A message that is no fact is left out: it must not end the feed of everyone. */
  function factOf({ seq, data }: BusMessage) {
    try {
      return served.parse(data);
    } catch (error) {
      logger.error({ err: error, seq }, 'a message on the bus is no fact of what was served');
      return undefined;
    }
  }

  async function read(): Promise<void> {
    const facts = bus.read({ subjects: [served.subject], after: 'end', signal: closing.signal });
    for await (const message of facts) {
      const fact = factOf(message);
      if (fact) for (const tell of watchers) tell(fact.tenant, fact.data.items);
    }
  }
}

/** Updates that wait for a subscriber who reads slowly; beyond it the oldest are left out. */
const maxReady = 100;

type Watchers = Set<(tenant: string, items: readonly ServedItem[]) => void>;

interface WatchOptions extends LiveOptions {
  readonly clock: Clock;
  readonly watchers: Watchers;
  readonly closing: AbortSignal;
}

function watch(options: WatchOptions): AsyncIterableIterator<ServingUpdate> {
  const { clock, watchers, closing } = options;
  let items: ServedItem[] = [];
  let periodStart = clock();
  const ready: ServingUpdate[] = [];
  let wake: (() => void) | undefined;
  let closed = false;

  const tell = (tenant: string, all: readonly ServedItem[]) => {
    if (tenant !== options.tenant) return;
    items.push(
      ...all.filter((item) => options.model === undefined || item.model === options.model),
    );
  };
  const timer = setInterval(() => {
    const range = { from: periodStart, to: clock() };
    periodStart = range.to;
    ready.push(...updatesOf(items, range, options.everyMs));
    ready.splice(0, Math.max(0, ready.length - maxReady));
    items = [];
    if (ready.length > 0) wake?.();
  }, options.everyMs);
  const close = () => {
    closed = true;
    clearInterval(timer);
    watchers.delete(tell);
    options.signal.removeEventListener('abort', close);
    closing.removeEventListener('abort', close);
    wake?.();
  };
  watchers.add(tell);
  options.signal.addEventListener('abort', close, { once: true });
  closing.addEventListener('abort', close, { once: true });
  if (options.signal.aborted || closing.aborted) close();

  return {
    async next() {
      for (;;) {
        if (closed) return { done: true, value: undefined };
        const value = ready.shift();
        if (value) return { done: false, value };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async return() {
      close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function updatesOf(
  items: readonly ServedItem[],
  range: { from: Date; to: Date },
  everyMs: number,
): readonly ServingUpdate[] {
  const versions = [...new Set(items.map(({ versionId }) => versionId))];
  return versions.map((versionId) => ({
    versionId,
    metrics: summarise(
      slicesOf(
        items.filter((item) => item.versionId === versionId),
        1_000,
      ),
      range,
      Math.max(1_000, everyMs),
    ),
  }));
}
