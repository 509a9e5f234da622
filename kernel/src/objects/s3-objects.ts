import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { Secret } from '../config/index.ts';
import { cancelled, PlatformError, unavailable } from '../errors/index.ts';
import { newId } from '../ids/index.ts';
import { Digesting } from './digesting.ts';
import { checkDigest, streamOf, verified } from './folder-objects.ts';
import {
  hexOf,
  type ObjectStore,
  objectNotFound,
  type PutOptions,
  type StoredObject,
} from './object-store.ts';

export interface S3Options {
  /** The address of the server; AWS itself when left out. */
  readonly url?: string | undefined;
  readonly region?: string;
  readonly bucket: string;
  /** Put before every key. */
  readonly prefix?: string;
  readonly accessKey: string;
  readonly secretKey: Secret | string;
}

/**
 * Objects on any S3 server, keyed by the hex of their digest. A name needs the digest, which is known only at the end: bytes pass through a
 * temporary file, so that nothing wrong is ever seen under a name. Makes the bucket when it is missing.
 */
export async function s3Objects(options: S3Options): Promise<ObjectStore> {
  const { url, region = 'us-east-1', bucket, prefix = '', accessKey, secretKey } = options;
  const client = new S3Client({
    region,
    ...(url !== undefined && { endpoint: url, forcePathStyle: true }),
    credentials: {
      accessKeyId: accessKey,
      secretAccessKey: typeof secretKey === 'string' ? secretKey : secretKey.reveal(),
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const keyOf = (digest: string) => ({ Bucket: bucket, Key: `${prefix}${hexOf(digest)}` });
  await ensureBucket(client, bucket);
  const folder = await mkdtemp(path.join(tmpdir(), 'opea-objects-'));

  const statOf = async (digest: string): Promise<StoredObject | undefined> => {
    const found = await answered(client.send(new HeadObjectCommand(keyOf(digest))));
    return found && { digest: `sha256:${hexOf(digest)}`, size: found.ContentLength ?? 0 };
  };
  const upload = async (file: string, digest: string, signal: AbortSignal | undefined) => {
    const sending = new Upload({
      client,
      params: { ...keyOf(digest), Body: createReadStream(file) },
    });
    const abort = () => void sending.abort();
    signal?.addEventListener('abort', abort, { once: true });
    await answered(sending.done()).finally(() => signal?.removeEventListener('abort', abort));
  };

  return {
    async put(source, putOptions = {}) {
      if (putOptions.expectedDigest !== undefined) hexOf(putOptions.expectedDigest);
      const { signal } = putOptions;
      await mkdir(folder, { recursive: true });
      const file = path.join(folder, newId());
      try {
        const written = await spool(source, file, putOptions);
        if (await statOf(written.digest)) return { ...written, existed: true };
        await upload(file, written.digest, signal);
        return { ...written, existed: false };
      } catch (error) {
        throw signal?.aborted ? cancelled({}, error) : error;
      } finally {
        await rm(file, { force: true });
      }
    },

    async get(digest, { range, signal } = {}) {
      const part = range && { Range: `bytes=${range.from}-${range.to ?? ''}` };
      const found = await answered(
        client.send(
          new GetObjectCommand({ ...keyOf(digest), ...part }),
          signal ? { abortSignal: signal } : {},
        ),
      );
      if (!(found?.Body instanceof Readable)) throw objectNotFound({ digest });
      return range ? found.Body : verified(found.Body, digest);
    },

    stat: statOf,

    async delete(digest) {
      const existed = (await statOf(digest)) !== undefined;
      if (existed) await answered(client.send(new DeleteObjectCommand(keyOf(digest))));
      return existed;
    },

    async [Symbol.asyncDispose]() {
      client.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function spool(
  source: Parameters<ObjectStore['put']>[0],
  file: string,
  options: PutOptions,
): Promise<StoredObject> {
  const digesting = new Digesting(options);
  const { signal } = options;
  await pipeline(streamOf(source), digesting, createWriteStream(file), signal ? { signal } : {});
  checkDigest(digesting.result, options);
  return digesting.result;
}

async function ensureBucket(client: S3Client, bucket: string): Promise<void> {
  const found = await answered(client.send(new HeadBucketCommand({ Bucket: bucket })));
  if (!found) await answered(client.send(new CreateBucketCommand({ Bucket: bucket })));
}

/** The server's answer; `undefined` when it says that there is no such thing; UNAVAILABLE when it does not answer well. */
async function answered<Answer>(work: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 404) return undefined;
    throw unavailable({ retryAfterMs: 1_000 }, error);
  }
}
