import { afterAll, beforeAll, describe } from 'vitest';
import { type EmbeddedPostgres, openPglite } from '../postgres/index.ts';
import { eventStoreContract } from './event-store.contract.ts';

describe('the event store in the embedded PostgreSQL', { timeout: 120_000 }, () => {
  let embedded: EmbeddedPostgres;
  let opened = 0;
  beforeAll(async () => {
    embedded = await openPglite({ folder: 'memory' });
  }, 120_000);
  afterAll(() => embedded[Symbol.asyncDispose]());

  eventStoreContract(
    () => {
      opened += 1;
      return embedded.database(`events_${opened}`);
    },
    { runs: 12 },
  );
});
