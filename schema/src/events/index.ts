export {
  apiKeyCreated,
  apiKeyRevoked,
  principalCreated,
  rolesChanged,
  tenantCreated,
} from './auth.ts';
export { breakingChanges, type JsonSchema } from './compatibility.ts';
export { contracts } from './contracts.ts';
export { valuesWritten, vectorsUpserted, viewApplied } from './feature.ts';
export { served, servedItem } from './inference.ts';
export {
  aliasMoved,
  artifactFile,
  modelRegistered,
  modelUpdated,
  tensorSpec,
  versionPublished,
  versionRetired,
} from './registry.ts';
