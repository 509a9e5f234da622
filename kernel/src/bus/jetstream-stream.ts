import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

/** The names of one platform's streams and subjects on a server that others may share. */
export interface StreamNames {
  readonly stream: string;
  readonly dead: string;
  subject(plain: string): string;
  plain(subject: string): string;
  /** The server's form of patterns: a wildcard in the first place stands for the contexts, never for our own subjects. */
  filters(patterns: readonly string[]): readonly string[];
  replay(durable: string): string;
  deadLetter(durable: string): string;
}

/** Without a prefix: stream `OPEA`, plain subjects. With one: `OPEA_<prefix>` and `<prefix>.<subject>`. */
export function streamNames(prefix: string | undefined, subjects: readonly string[]): StreamNames {
  if (prefix !== undefined && !/^[a-z0-9]{1,32}$/.test(prefix)) {
    throw new Error(`A prefix is lower-case letters and digits: ${prefix}`);
  }
  const before = prefix === undefined ? '' : `${prefix}.`;
  const stream = prefix === undefined ? 'OPEA' : `OPEA_${prefix}`;
  return {
    stream,
    dead: `${stream}_DEAD`,
    subject: (plain) => before + plain,
    filters: (patterns) =>
      patterns.flatMap((pattern) => expanded(pattern, subjects)).map((subject) => before + subject),
    plain: (subject) => subject.slice(before.length),
    replay: (durable) => `${before}replay.${durable}`,
    deadLetter: (durable) => `${before}dead.${durable}`,
  };
}

function expanded(pattern: string, subjects: readonly string[]): readonly string[] {
  if (pattern === '>') return subjects;
  if (!pattern.startsWith('*.')) return [pattern];
  return subjects.map((subject) => `${subject.split('.', 1)[0]}${pattern.slice(1)}`);
}

/** The contexts whose facts travel; each owns the subjects `<context>.>`. */
export const contexts = ['registry', 'auth', 'feature', 'inference', 'analytics'] as const;

/** Makes the streams, or brings them to what we need of them. */
export async function ensureStreams(
  manager: JetStreamManager,
  names: StreamNames,
  { replicas, subjects }: { readonly replicas: number; readonly subjects: readonly string[] },
): Promise<void> {
  const shared = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    duplicate_window: nanos(120_000),
    allow_direct: true,
  };
  await ensure(manager, {
    ...shared,
    name: names.stream,
    subjects: [...subjects.map((subject) => names.subject(subject)), names.replay('>')],
  });
  await ensure(manager, { ...shared, name: names.dead, subjects: [names.deadLetter('>')] });
}

async function ensure(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<void> {
  const { name } = config;
  const names = await manager.streams.names(config.subjects?.[0]).next();
  if (names.includes(name)) await manager.streams.update(name, config);
  else await manager.streams.add(config);
}
