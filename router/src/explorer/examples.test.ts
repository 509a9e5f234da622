import { supergraphSdl } from '@opea/schema/sdl';
import { parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readSupergraph } from '../canonical/supergraph.ts';
import { estimateCost } from '../guards/cost.ts';
import { demandHints } from '../guards/demand.ts';
import { measureDocument } from '../guards/document.ts';
import { defaultLimits } from '../guards/limits.ts';
import { examples } from './examples.ts';

describe('every example of the explorer', () => {
  const { apiSchema } = readSupergraph(supergraphSdl);
  const hints = demandHints(supergraphSdl);

  it.each(examples)('$title fits the graph and its guards', ({ query, variables = {} }) => {
    const document = parse(query);
    expect(validate(apiSchema, document)).toEqual([]);
    const { operations, violated } = measureDocument(document, defaultLimits);
    expect(violated).toEqual([]);
    for (const { node } of operations)
      expect(
        estimateCost({ schema: apiSchema, hints, document, operation: node, variables }),
      ).toBeLessThanOrEqual(defaultLimits.cost);
  });
});
