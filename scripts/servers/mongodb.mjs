import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './probe.mjs';

export const mongodb = {
  name: 'mongodb',
  title: 'MongoDB protocol (FerretDB on SQLite)',
  version: '1.24.2',
  defaultPort: 47_017,
  module: {
    path: 'github.com/FerretDB/FerretDB',
    command: './cmd/ferretdb',
    // The module refuses to start without its version, which its release script writes.
    files: { 'build/version/version.txt': 'v1.24.2\n' },
    minimumGo: [1, 24],
  },
  prepare({ data }) {
    mkdirSync(join(data, 'sqlite'), { recursive: true });
  },
  command: ({ folder, data, port }) => ({
    file: join(folder, 'mongodb'),
    args: [
      '--handler=sqlite',
      `--sqlite-url=file:${join(data, 'sqlite')}/`,
      `--listen-addr=127.0.0.1:${port}`,
      `--state-dir=${data}`,
      '--telemetry=disable',
      '--debug-addr=-',
      '--log-level=WARN',
    ],
    env: { DO_NOT_TRACK: '1' },
  }),
  probe: ({ port }) => answers({ port, send: ping(), accept: (bytes) => bytes.includes('ok\0') }),
  versionOf: () => mongodb.version,
  env: ({ port }) => ({ OPEA_TEST_MONGODB_URL: `mongodb://127.0.0.1:${port}/` }),
};

/** OP_MSG (MongoDB wire protocol) that carries the document { ping: 1, $db: 'admin' }. */
function ping() {
  const elements = Buffer.concat([
    Buffer.from('\x10ping\0'),
    int32(1),
    Buffer.from('\x02$db\0'),
    int32(6),
    Buffer.from('admin\0'),
    Buffer.from([0]),
  ]);
  const document = Buffer.concat([int32(elements.length + 4), elements]);
  const body = Buffer.concat([int32(0), Buffer.from([0]), document]);
  return Buffer.concat([int32(16 + body.length), int32(1), int32(0), int32(2013), body]);
}

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
