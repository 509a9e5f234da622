import { env } from 'node:process';
import { describe } from 'vitest';
import { newId } from '../ids/index.ts';
import { documentStoreContract } from './document-store.contract.ts';
import { mongoDocuments } from './index.ts';

describe('documents in MongoDB', { timeout: 60_000 }, () => {
  documentStoreContract(() => {
    const url = env['OPEA_TEST_MONGODB_URL'];
    if (url === undefined) throw new Error('OPEA_TEST_MONGODB_URL is not set');
    return mongoDocuments({ url, database: `t${newId().replaceAll('-', '')}` });
  });
});
