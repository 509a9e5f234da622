import { defineError } from '@opea/kernel/errors';
import { z } from 'zod';
import { modelChoice } from '../model-name.ts';
import type { ProtocolCall } from '../protocol.ts';
import { secondsOf } from './answer.ts';

const modelNotFound = defineError(
  'MODEL_NOT_FOUND',
  404,
  ({ model }: { model: string }) => `No model that generates text is called ${model}`,
);

const model = z.object({
  name: z.string(),
  createdAt: z.coerce.date(),
  owner: z.object({ name: z.string() }),
});
const version = z.object({ kind: z.string(), state: z.string() }).nullish();

const listData = z.object({
  models: z.object({
    edges: z.array(z.object({ node: model.extend({ alias: version }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});

const listDocument = /* GraphQL */ `
  query OpenAiModels($after: String) {
    models(first: 100, after: $after) {
      edges { node { name createdAt owner { name } alias { kind state } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

const oneData = z.object({ model: model.extend({ alias: version, version }).nullable() });

const oneDocument = /* GraphQL */ `
  query OpenAiModel($name: String!, $alias: String!, $number: Int!, $byNumber: Boolean!) {
    model(name: $name) {
      name createdAt owner { name }
      alias(name: $alias) @skip(if: $byNumber) { kind state }
      version(number: $number) @include(if: $byNumber) { kind state }
    }
  }
`;

/** Longest list; what lies behind it can still be asked for by name. */
const mostPages = 10;

/** `GET /v1/models`: the tenant's language models in production. */
export async function listModels(call: ProtocolCall): Promise<void> {
  const models: object[] = [];
  let after: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const asked: z.output<typeof listData> = await call.ask({
      document: listDocument,
      variables: { after },
      data: listData,
    });
    for (const { node } of asked.models.edges)
      if (isServed(node.alias)) models.push(entryOf(node, node.name));
    const { hasNextPage, endCursor } = asked.models.pageInfo;
    if (!hasNextPage) break;
    after = endCursor;
  }
  call.send({ body: { object: 'list', data: models } });
}

/** `GET /v1/models/{model}`, which may name an alias or a version behind `@`. */
export async function retrieveModel(call: ProtocolCall): Promise<void> {
  const id = call.params['model'] ?? '';
  const choice = modelChoice(id);
  const found = await call.ask({
    document: oneDocument,
    variables: {
      name: choice.model,
      alias: choice.alias ?? 'production',
      number: choice.version ?? 1,
      byNumber: choice.version !== undefined,
    },
    data: oneData,
  });
  if (found.model === null || !isServed(found.model.alias ?? found.model.version))
    throw modelNotFound({ model: id });
  call.send({ body: entryOf(found.model, id) });
}

const isServed = (one: z.output<typeof version>): boolean =>
  one?.kind === 'DECODER' && one.state === 'PUBLISHED';

const entryOf = ({ createdAt, owner }: z.output<typeof model>, id: string) => ({
  id,
  object: 'model',
  created: secondsOf(createdAt),
  owned_by: owner.name,
});
