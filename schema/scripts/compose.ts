import {
  composeServices,
  compositionHasErrors,
  transformSupergraphToPublicSchema,
} from '@theguild/federation-composition';
import { buildASTSchema, lexicographicSortSchema, parse, printSchema } from 'graphql';
import type { SubgraphSource } from './subgraphs.ts';

/** Composes the subgraphs, or throws with every reason why they do not fit together. */
export function composed(subgraphs: readonly SubgraphSource[]) {
  const result = composeServices(
    subgraphs.map(({ name, sdl }) => ({ name, url: `http://${name}.opea`, typeDefs: parse(sdl) })),
  );
  if (compositionHasErrors(result))
    throw new Error(`The subgraphs do not compose\n${result.errors.map(String).join('\n')}`);
  const api = transformSupergraphToPublicSchema(parse(result.supergraphSdl));
  const apiSchema = lexicographicSortSchema(buildASTSchema(api, { assumeValid: true }));
  return {
    supergraphSdl: `${result.supergraphSdl.trimEnd()}\n`,
    apiSdl: `${printSchema(apiSchema)}\n`,
  };
}
