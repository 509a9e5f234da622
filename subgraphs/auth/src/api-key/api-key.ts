import { after } from '@opea/kernel/clock';
import { badUserInput } from '@opea/kernel/errors';
import { type DataOf, type Decider, type Fact, unreachable } from '@opea/kernel/events';
import { demandText } from '@opea/kernel/text';
import type { apiKeyCreated, apiKeyRevoked } from '@opea/schema/events';
import { apiKeyNotFound } from '../errors.ts';

/** What decisions about a key need to know of it; `undefined` is one that is not there. */
export interface ApiKey {
  readonly keyId: string;
  readonly principalId: string;
  readonly revoked: boolean;
}

export type ApiKeyEvent =
  | Fact<'ApiKeyCreated', DataOf<typeof apiKeyCreated>>
  | Fact<'ApiKeyRevoked', DataOf<typeof apiKeyRevoked>>;

export type ApiKeyCommand =
  | {
      readonly type: 'CreateApiKey';
      readonly keyId: string;
      readonly principalId: string;
      readonly name: string;
      /** `undefined` for a key that does not expire. */
      readonly expiresInDays: number | undefined;
      readonly now: Date;
    }
  | { readonly type: 'RevokeApiKey'; readonly keyId: string };

export const apiKeyDecider: Decider<ApiKey | undefined, ApiKeyCommand, ApiKeyEvent> = {
  initial: undefined,

  evolve(key, event) {
    switch (event.type) {
      case 'ApiKeyCreated': {
        const { keyId, principalId } = event.data;
        return { keyId, principalId, revoked: false };
      }
      case 'ApiKeyRevoked':
        return key && { ...key, revoked: true };
      default:
        return unreachable(event);
    }
  },

  decide(key, command) {
    switch (command.type) {
      case 'CreateApiKey':
        return create(key, command);
      case 'RevokeApiKey': {
        if (!key) throw apiKeyNotFound({ id: command.keyId });
        const { keyId, principalId } = key;
        return key.revoked ? [] : [{ type: 'ApiKeyRevoked', data: { keyId, principalId } }];
      }
      default:
        return unreachable(command);
    }
  },
};

const dayMs = 86_400_000;

function create(
  key: ApiKey | undefined,
  {
    keyId,
    principalId,
    name,
    expiresInDays,
    now,
  }: Extract<ApiKeyCommand, { type: 'CreateApiKey' }>,
): ApiKeyEvent[] {
  demandText(name, { field: 'name', min: 1, max: 100 });
  if (expiresInDays !== undefined && (expiresInDays < 1 || expiresInDays > 3_650))
    throw badUserInput({ field: 'expiresInDays', reason: 'expiresInDays must be 1 to 3650.' });
  if (key) return [];
  const expiresAt =
    expiresInDays === undefined ? null : after(now, expiresInDays * dayMs).toISOString();
  return [{ type: 'ApiKeyCreated', data: { keyId, principalId, name, expiresAt } }];
}
