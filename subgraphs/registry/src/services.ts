import type { Bus } from '@opea/kernel/bus';
import type { EventStore } from '@opea/kernel/events';
import type { Logger } from '@opea/kernel/log';
import type { Database } from '@opea/kernel/postgres';
import type { ModelCommands } from './model/model-commands.ts';
import type { Publications } from './model/publications.ts';
import type { Tables } from './tables.ts';
import type { Visibility } from './visibility.ts';

/** What the resolvers call. */
export interface Services {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly logger: Logger;
  readonly commands: ModelCommands;
  readonly publications: Publications;
  readonly visibility: Visibility;
}
