import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './probe.mjs';

export const s3 = {
  name: 's3',
  title: 'S3 (Versity gateway)',
  version: '1.8.0',
  defaultPort: 47_070,
  module: {
    path: 'github.com/versity/versitygw',
    command: './cmd/versitygw',
    ldflags: '-X main.Version=1.8.0',
    minimumGo: [1, 25],
  },
  prepare({ data }) {
    for (const part of ['objects', 'metadata']) mkdirSync(join(data, part), { recursive: true });
  },
  command: (context) => ({
    file: join(context.folder, 's3'),
    // Object metadata lies in a folder beside the objects: not every file system has extended attributes.
    args: [
      '--port',
      `127.0.0.1:${context.port}`,
      '--quiet',
      'posix',
      '--sidecar',
      join(context.data, 'metadata'),
      join(context.data, 'objects'),
    ],
    env: {
      ROOT_ACCESS_KEY: context.secret('accessKey'),
      ROOT_SECRET_KEY: context.secret('secretKey'),
    },
  }),
  probe: ({ port }) =>
    answers({
      port,
      send: 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      accept: (bytes) => bytes.toString().startsWith('HTTP/1.1 403'),
    }),
  versionOf: () => s3.version,
  env: ({ port, secret }) => ({
    OPEA_TEST_S3_URL: `http://127.0.0.1:${port}`,
    OPEA_TEST_S3_ACCESS_KEY: secret('accessKey'),
    OPEA_TEST_S3_SECRET_KEY: secret('secretKey'),
  }),
};
