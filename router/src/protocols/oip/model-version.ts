import { defineError } from '@opea/kernel/errors';
import { z } from 'zod';
import type { GraphAsk, ProtocolCall } from '../protocol.ts';
import { wantedModel } from './wanted-model.ts';

export const modelNotFound = defineError(
  'MODEL_NOT_FOUND',
  404,
  ({ model }: { model: string }) => `No such model, alias or version: ${model}`,
);

const modelShape = <Shape extends z.ZodType>(version: Shape) =>
  z.object({
    model: z
      .object({
        versions: z
          .object({ edges: z.array(z.object({ node: z.object({ number: z.int() }) })) })
          .optional(),
        alias: version.nullish(),
        version: version.nullish(),
      })
      .nullable(),
  });

/** A query about the version that an address names. `fields` are of ModelVersion. */
export function versionQuery<Shape extends z.ZodType>(options: {
  readonly name: string;
  readonly fields: string;
  readonly withVersions?: boolean;
  readonly shape: Shape;
}) {
  const { name, fields, withVersions = false, shape } = options;
  const document = /* GraphQL */ `
    query ${name}($name: String!, $alias: String!, $number: Int!, $byNumber: Boolean!) {
      model(name: $name) {
        ${withVersions ? 'versions(first: 100) { edges { node { number } } }' : ''}
        alias(name: $alias) @skip(if: $byNumber) { ${fields} }
        version(number: $number) @include(if: $byNumber) { ${fields} }
      }
    }
  `;
  const data = modelShape(shape);

  /** The version and the numbers of all of them, newest first. Throws MODEL_NOT_FOUND. */
  return async (call: ProtocolCall) => {
    const { model, alias, version: number } = wantedModel(call);
    const ask: GraphAsk<z.output<typeof data>> = {
      document,
      variables: {
        name: model,
        alias: alias ?? 'production',
        number: number ?? 1,
        byNumber: number !== undefined,
      },
      data,
    };
    const found = (await call.ask(ask)).model;
    const version = found?.alias ?? found?.version ?? undefined;
    if (version === undefined) throw modelNotFound({ model });
    const numbers = found?.versions?.edges.map(({ node }) => node.number) ?? [];
    return { model, version, numbers };
  };
}
