import { specify } from '@opea/kernel/testing';
import { describe, test } from 'vitest';
import { type ApiKeyEvent, apiKeyDecider } from './api-key.ts';

const { given } = specify(apiKeyDecider);

const created = (expiresAt: string | null = null): ApiKeyEvent => ({
  type: 'ApiKeyCreated',
  data: { keyId: 'key_1', principalId: 'prn_1', name: 'ci', expiresAt },
});
const revoked: ApiKeyEvent = {
  type: 'ApiKeyRevoked',
  data: { keyId: 'key_1', principalId: 'prn_1' },
};

describe('creating a key', () => {
  const create = {
    type: 'CreateApiKey',
    keyId: 'key_1',
    principalId: 'prn_1',
    name: 'ci',
    expiresInDays: undefined,
    now: new Date('2026-01-01T00:00:00Z'),
  } as const;

  test('makes one that never expires', () => {
    given().when(create).yields(created());
  });

  test('counts its days from now', () => {
    given()
      .when({ ...create, expiresInDays: 31 })
      .yields(created('2026-02-01T00:00:00.000Z'));
  });

  test('does nothing when the same command comes again', () => {
    given(created()).when(create).yields();
  });

  test.for([0, -1, 3_651])('is refused for %s days', (expiresInDays) => {
    given()
      .when({ ...create, expiresInDays })
      .refuses('BAD_USER_INPUT');
  });

  test.for(['', '   ', 'x'.repeat(101)])('is refused for the name "%s"', (name) => {
    given()
      .when({ ...create, name })
      .refuses('BAD_USER_INPUT');
  });
});

describe('revoking a key', () => {
  const revoke = { type: 'RevokeApiKey', keyId: 'key_1' } as const;

  test('ends it', () => {
    given(created()).when(revoke).yields(revoked);
  });

  test('does nothing the second time', () => {
    given(created(), revoked).when(revoke).yields();
  });

  test('is refused for a key that is not there', () => {
    given().when(revoke).refuses('API_KEY_NOT_FOUND');
  });
});
