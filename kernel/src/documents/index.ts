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
