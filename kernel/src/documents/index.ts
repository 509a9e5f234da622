export type {
  Collection,
  Condition,
  Document,
  DocumentStore,
  Filter,
  FindOptions,
  Scalar,
  StoredDocument,
} from './document-store.ts';
export { documentMigrations, jsonbDocuments } from './jsonb-documents.ts';
export { type MongoOptions, mongoDocuments } from './mongo-documents.ts';
