import * as auth from './auth.ts';
import * as feature from './feature.ts';
import { served } from './inference.ts';
import {
  aliasMoved,
  modelRegistered,
  modelUpdated,
  versionPublished,
  versionRetired,
} from './registry.ts';

/** Every event that one service may tell another. */
export const contracts = [
  auth.tenantCreated,
  auth.principalCreated,
  auth.rolesChanged,
  auth.apiKeyCreated,
  auth.apiKeyRevoked,
  modelRegistered,
  modelUpdated,
  versionPublished,
  aliasMoved,
  versionRetired,
  feature.viewApplied,
  feature.valuesWritten,
  feature.vectorsUpserted,
  served,
] as const;
