import { type Bus, postgresBus } from '@opea/kernel/bus';
import { type Cache, memoryCache } from '@opea/kernel/cache';
import type { Clock } from '@opea/kernel/clock';
import { openStack } from '@opea/kernel/lifecycle';
import { folderObjects, type ObjectStore } from '@opea/kernel/objects';
import { type Database, openPglite } from '@opea/kernel/postgres';
import type { DataFolder } from './data-folder.ts';

/** What a platform stands on: each is the embedded kind or a server, and nobody above can tell which. */
export interface Parts extends AsyncDisposable {
  /** A service's own tables. */
  database<Tables>(service: string): Promise<Database<Tables>>;
  readonly bus: Bus;
  readonly objects: ObjectStore;
  readonly cache: Cache;
}

/** Everything in one data folder, with nothing but npm installed. */
export async function embeddedParts(options: {
  readonly folder: DataFolder;
  readonly clock: Clock;
}): Promise<Parts> {
  const { folder, clock } = options;
  const stack = openStack();
  try {
    const postgres = stack.use(await openPglite({ folder: folder.postgres }));
    const bus = stack.use(await postgresBus(postgres, { clock }));
    const objects = await folderObjects({ folder: folder.objects });
    return {
      database: (service) => postgres.database(service),
      bus,
      objects,
      cache: memoryCache(),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}
