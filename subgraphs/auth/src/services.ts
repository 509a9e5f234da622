import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import type { Logger } from '@opea/kernel/log';
import type { Database } from '@opea/kernel/postgres';
import type { ApiKeys } from './api-key/api-keys.ts';
import type { Principals } from './principal/principals.ts';
import type { Tables } from './tables.ts';

/** What the resolvers call. */
export interface Services {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly principals: Principals;
  readonly apiKeys: ApiKeys;
}
