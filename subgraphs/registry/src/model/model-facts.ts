import type { DataOf } from '@opea/kernel/events';
import type {
  aliasMoved,
  modelRegistered,
  modelUpdated,
  versionPublished,
  versionRetired,
} from '@opea/schema/events';

/** What a model's events say. They are contracts: other services read the same facts from the bus. */
export type ModelRegistered = DataOf<typeof modelRegistered>;
export type ModelUpdated = DataOf<typeof modelUpdated>;
export type VersionPublished = DataOf<typeof versionPublished>;
export type AliasMoved = DataOf<typeof aliasMoved>;
export type VersionRetired = DataOf<typeof versionRetired>;
