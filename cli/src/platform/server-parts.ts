import { type Bus, jetstreamBus } from '@opea/kernel/bus';
import { type Cache, memoryCache, redisCache } from '@opea/kernel/cache';
import type { Secret } from '@opea/kernel/config';
import { openStack } from '@opea/kernel/lifecycle';
import { folderObjects, type ObjectStore, s3Objects } from '@opea/kernel/objects';
import { openPostgres } from '@opea/kernel/postgres';
import type { DataFolder } from './data-folder.ts';
import type { Parts } from './parts.ts';

export interface ServerOptions {
  /** PostgreSQL with pgvector; each service gets a schema of its own. */
  readonly postgresUrl: Secret | string;
  /** NATS servers with JetStream. */
  readonly natsUrls: readonly string[];
  /** Put before every stream and consumer, so that several platforms can share a NATS. */
  readonly natsPrefix?: string;
  readonly s3?: S3Server;
  readonly redisUrl?: Secret | string;
  /** Where objects lie when there is no S3. */
  readonly folder: DataFolder;
}

export interface S3Server {
  readonly url?: string | undefined;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: Secret | string;
}

/** The platform's parts on servers that outlive it and that other processes share. */
export async function serverParts(options: ServerOptions): Promise<Parts> {
  const stack = openStack();
  try {
    const bus = stack.use(await openBus(options));
    const cache = stack.use(await openCache(options));
    const objects = await openObjects(options);
    return {
      database: async (service) =>
        stack.use(await openPostgres({ url: options.postgresUrl, service })),
      bus,
      objects,
      cache,
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

const openBus = ({ natsUrls, natsPrefix }: ServerOptions): Promise<Bus> =>
  jetstreamBus({ servers: [...natsUrls], ...(natsPrefix ? { prefix: natsPrefix } : {}) });

const openCache = async ({ redisUrl }: ServerOptions): Promise<Cache> =>
  redisUrl === undefined ? memoryCache() : redisCache({ url: redisUrl });

const openObjects = ({ s3, folder }: ServerOptions): Promise<ObjectStore> =>
  s3 === undefined ? folderObjects({ folder: folder.objects }) : s3Objects(s3);
