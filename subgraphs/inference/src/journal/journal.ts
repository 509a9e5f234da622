import type { Clock } from '@opea/kernel/clock';
import { PlatformError } from '@opea/kernel/errors';
import { enqueue } from '@opea/kernel/events';
import { newId } from '@opea/kernel/ids';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import { type Database, jsonValue } from '@opea/kernel/postgres';
import { served, type servedItem } from '@opea/schema/events';
import type { z } from 'zod';
import type { GenerationRow, PredictionRow, Tables } from '../tables.ts';
import { WriteBehind } from './write-behind.ts';

export type ServedItem = z.infer<typeof servedItem>;

/** A request that was answered, refused or failed, with the row to keep where there is one. */
export interface Entry {
  readonly tenant: string;
  readonly correlationId: string;
  readonly item: ServedItem;
  readonly prediction?: PredictionRow;
  readonly generation?: GenerationRow;
}

export interface JournalOptions {
  readonly database: Database<Tables>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The longest that a fact waits for company before it is written, in ms. */
const maxWaitMs = 50;

/**
 * Remembers what was served: rows to look up by id, and `inference.served.v1` for whoever counts. Both are
 * written in one transaction, at most `maxWaitMs` after the answer left; `find…` sees them at once.
 */
export class Journal implements AsyncDisposable {
  readonly #behind: WriteBehind<Entry>;
  readonly #options: JournalOptions;
  /** A batch keeps its event's id when it is written again: if it had arrived, nobody counts it twice. */
  readonly #eventIds = new WeakMap<readonly Entry[], string>();

  constructor(options: JournalOptions) {
    this.#options = options;
    const dropped = options.metrics.counter({
      name: 'opea_inference_journal_dropped_total',
      help: 'Facts lost because the store stayed away for too long.',
    });
    this.#behind = new WriteBehind<Entry>({
      maxWaitMs,
      maxItems: 256,
      maxPending: 50_000,
      write: (entries) => this.#write(entries),
      groupOf: ({ tenant }) => tenant,
      isItemsFault,
      onFailure: (error) => options.logger.error({ err: error }, 'served facts not written yet'),
      onDropped: (count) => dropped.inc(count),
    });
  }

  record(entry: Entry): void {
    this.#behind.add(entry);
  }

  /** Resolves when everything recorded so far is durable. */
  flush(): Promise<void> {
    return this.#behind.flush();
  }

  async findPrediction(tenant: string, id: string): Promise<PredictionRow | undefined> {
    const pending = this.#behind.pending.find(({ prediction }) => prediction?.id === id);
    if (pending) return pending.tenant === tenant ? pending.prediction : undefined;
    return this.#options.database.transaction(
      (tx) => tx.selectFrom('predictions').selectAll().where('id', '=', id).executeTakeFirst(),
      { tenant },
    );
  }

  async findGeneration(tenant: string, id: string): Promise<GenerationRow | undefined> {
    const pending = this.#behind.pending.find(({ generation }) => generation?.id === id);
    if (pending) return pending.tenant === tenant ? pending.generation : undefined;
    return this.#options.database.transaction(
      (tx) => tx.selectFrom('generations').selectAll().where('id', '=', id).executeTakeFirst(),
      { tenant },
    );
  }

  /** Newest first; one row more than `limit` tells that there is a next page. */
  async listPredictions(
    tenant: string,
    page: { limit: number; before: string | undefined; versionId: string | undefined },
  ): Promise<readonly PredictionRow[]> {
    await this.flush();
    return this.#options.database.transaction(
      (tx) => {
        let query = tx.selectFrom('predictions').selectAll().orderBy('id', 'desc');
        if (page.before !== undefined) query = query.where('id', '<', page.before);
        if (page.versionId !== undefined) query = query.where('version_id', '=', page.versionId);
        return query.limit(page.limit).execute();
      },
      { tenant },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#behind[Symbol.asyncDispose]();
  }

  /** Entries of one tenant. Rows that are there already came with an earlier attempt that did arrive. */
  #write(entries: readonly Entry[]): Promise<void> {
    const [first] = entries;
    if (!first) return Promise.resolve();
    const predictions = entries.flatMap(({ prediction }) => (prediction ? [prediction] : []));
    const generations = entries.flatMap(({ generation }) => (generation ? [generation] : []));
    return this.#options.database.transaction(
      async (tx) => {
        if (predictions.length > 0)
          await tx
            .insertInto('predictions')
            .values(predictions.map(asPredictionValues))
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        if (generations.length > 0)
          await tx
            .insertInto('generations')
            .values(generations.map(asGenerationValues))
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        await enqueue(tx, this.#envelope(first, entries));
      },
      { tenant: first.tenant },
    );
  }

  #envelope({ tenant, correlationId }: Entry, entries: readonly Entry[]) {
    const id = this.#eventIds.get(entries) ?? newId();
    this.#eventIds.set(entries, id);
    return {
      id,
      subject: served.subject,
      occurredAt: this.#options.clock().toISOString(),
      tenant,
      actor: 'system',
      causationId: id,
      correlationId,
      data: { items: entries.map(({ item }) => item) },
    };
  }
}

const asPredictionValues = (row: PredictionRow) => ({
  ...row,
  outputs: jsonValue(row.outputs),
  timing: jsonValue(row.timing),
  batch: jsonValue(row.batch),
  features: jsonValue(row.features),
});

const asGenerationValues = (row: GenerationRow) => ({
  ...row,
  pieces: jsonValue(row.pieces),
  timing: jsonValue(row.timing),
});

/** Text that no column can hold, or a value outside its type (SQLSTATE classes 22 and 23): no later attempt can help. */
function isItemsFault(error: unknown): boolean {
  if (error instanceof PlatformError) return error.kind.code === 'BAD_USER_INPUT';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^2[23]/.test(code);
}
