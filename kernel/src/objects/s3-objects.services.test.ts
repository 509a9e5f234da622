import { env } from 'node:process';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { newId } from '../ids/index.ts';
import { s3Objects } from './index.ts';
import { objectStoreContract } from './object-store.contract.ts';

const needed = (name: string) => {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

describe('objects on an S3 server', { timeout: 60_000 }, () => {
  objectStoreContract(async () => {
    const url = needed('OPEA_TEST_S3_URL');
    const accessKey = needed('OPEA_TEST_S3_ACCESS_KEY');
    const secretKey = needed('OPEA_TEST_S3_SECRET_KEY');
    const bucket = 'opea-tests';
    const prefix = `${newId()}/`;
    return {
      store: await s3Objects({ url, bucket, prefix, accessKey, secretKey }),
      async damage(digest) {
        const client = new S3Client({
          endpoint: url,
          region: 'us-east-1',
          forcePathStyle: true,
          credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
        });
        const Key = `${prefix}${digest.slice('sha256:'.length)}`;
        await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'something else' }));
        client.destroy();
      },
    };
  });
});
