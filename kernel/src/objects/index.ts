export {
  type ByteRange,
  type Digest,
  digestMismatch,
  hexOf,
  type ObjectStore,
  objectNotFound,
  objectTooLarge,
  type PutOptions,
  type StoredObject,
} from './object-store.ts';
