import { afterAll, beforeAll, describe } from 'vitest';
import { type EmbeddedPostgres, openPglite } from '../postgres/index.ts';
import { documentStoreContract } from './document-store.contract.ts';
import { documentMigrations, jsonbDocuments } from './index.ts';

describe('documents in PostgreSQL', { timeout: 60_000 }, () => {
  let embedded: EmbeddedPostgres;
  let opened = 0;
  beforeAll(async () => {
    embedded = await openPglite({ folder: 'memory' });
  }, 120_000);
  afterAll(() => embedded[Symbol.asyncDispose]());

  documentStoreContract(async () => {
    opened += 1;
    const database = await embedded.database(`documents_${opened}`);
    await database.migrate(documentMigrations);
    return jsonbDocuments(database);
  });
});
