import { z } from 'zod';
import type { ProtocolCall } from '../protocol.ts';
import { fitted, jsonOf, maybe } from '../read-request.ts';
import { answersRequests, type Serving, servingFields, servingShape } from './serving.ts';

const filter = z.object({ ready: maybe(z.boolean()) });

const version = z.object({ number: z.int(), ...servingShape });

const data = z.object({
  models: z.object({
    edges: z.array(
      z.object({
        node: z.object({ name: z.string(), aliases: z.array(z.object({ version })) }),
      }),
    ),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});

const document = /* GraphQL */ `
  query OipRepositoryIndex($after: String) {
    models(first: 100, after: $after) {
      edges { node { name aliases { version { number ${servingFields} } } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

/** Longest list, in pages of 100 models. */
const mostPages = 10;

/** `POST /v2/repository/index`: every version that an alias points at. */
export async function repositoryIndex(call: ProtocolCall): Promise<void> {
  const body = await call.body();
  const { ready } = body.length === 0 ? {} : fitted(call, jsonOf(body), filter);
  const entries: object[] = [];
  let after: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const { models }: z.output<typeof data> = await call.ask({
      document,
      variables: { after },
      data,
    });
    for (const { node } of models.edges)
      for (const one of new Map(
        node.aliases.map((alias) => [alias.version.number, alias.version]),
      ).values())
        if (ready !== true || answersRequests(one)) entries.push(entryOf(node.name, one));
    if (!models.pageInfo.hasNextPage) break;
    after = models.pageInfo.endCursor;
  }
  call.send({ body: entries });
}

const entryOf = (name: string, one: z.output<typeof version>) => ({
  name,
  version: String(one.number),
  state: stateOf(one),
  reason: reasonOf(one),
});

function stateOf(one: Serving): string {
  if (answersRequests(one)) return 'READY';
  return one.serving.state === 'LOADING' ? 'LOADING' : 'UNAVAILABLE';
}

function reasonOf({ serving }: Serving): string {
  if (serving.state === 'UNLOADED') return 'not in memory: the next request loads it';
  return serving.reason ?? '';
}
