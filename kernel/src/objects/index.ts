export { folderObjects } from './folder-objects.ts';
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
export { type S3Options, s3Objects } from './s3-objects.ts';
