import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

import { definitions } from './fixture.ts';

export function supergraphOf(ports: Readonly<Record<string, number>>): string {
  const result = composeServices(
    Object.entries(definitions).map(([name, sdl]) => ({
      name,
      url: `http://127.0.0.1:${ports[name] ?? 0}/graphql`,
      typeDefs: parse(sdl),
    })),
  );
  if (result.supergraphSdl === undefined) throw new Error('The fixture does not compose');
  return result.supergraphSdl;
}
