import fc from 'fast-check';
import { type DocumentNode, Kind, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { measureDocument } from './document.ts';
import { defaultLimits } from './limits.ts';
import { fragmentsOf } from './measure.ts';

describe('measures of an operation', () => {
  it('are those of the operation with every fragment written out', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        const measured = measureDocument(document, defaultLimits).operations[0];
        const { depth, aliases, directives, selections, rootFields } = writtenOut(document);
        expect(measured?.measures).toMatchObject({
          depth,
          aliases,
          directives,
          selections,
          rootFields,
          hasFragmentCycle: false,
        });
      }),
      { numRuns: 300 },
    );
  });

  it('take as long as the text, however much a bomb of fragments would expand to', () => {
    const levels = 60;
    const bomb = [
      '{ ...F0 }',
      ...Array.from(
        { length: levels },
        (_, at) => `fragment F${at} on Q { a { ...F${at + 1} } b { ...F${at + 1} } }`,
      ),
      `fragment F${levels} on Q { c }`,
    ].join(' ');
    const { violated } = measureDocument(parse(bomb), defaultLimits);
    expect(violated).toEqual(['DEPTH', 'SELECTIONS']);
  });

  it('find cycles of fragments, whoever spreads them', () => {
    const cycle = '{ a } fragment A on Q { ...B } fragment B on Q { c { ...A } }';
    expect(measureDocument(parse(cycle), defaultLimits).violated).toEqual([]);
    const used = cycle.replace('{ a }', '{ a { ...A } }');
    expect(measureDocument(parse(used), defaultLimits).violated).toEqual(['FRAGMENT_CYCLE']);
  });
});

/** Documents whose fragments only spread later ones, so that none contains itself. */
const documents = fc
  .array(fc.array(fc.tuple(fc.nat(4), fc.nat(9), fc.boolean()), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((sets) =>
    sets
      .map((rows, at) => {
        const body = rows.map(([kind, seed, flag]) => selection(kind, seed, flag, at, sets.length));
        return at === 0 ? `{ ${body.join(' ')} }` : `fragment F${at} on Q { ${body.join(' ')} }`;
      })
      .join(' '),
  );

function selection(kind: number, seed: number, flag: boolean, at: number, count: number): string {
  const directive = flag ? ' @include(if: true)' : '';
  const next = at + 1 + (seed % 3);
  if (kind === 0 && next < count) return `...F${next}${directive}`;
  if (kind === 1) return `... on Q${directive} { f${seed} }`;
  if (kind === 2) return `alias${seed}: f${seed}${directive}`;
  if (kind === 3) return `f${seed}${directive} { g ${next < count ? `...F${next}` : 'h'} }`;
  return `f${seed}${directive}`;
}

interface Counts {
  depth: number;
  aliases: number;
  directives: number;
  selections: number;
  rootFields: number;
}

function writtenOut(document: DocumentNode): Counts {
  const fragments = fragmentsOf(document);
  const counts: Counts = { depth: 0, aliases: 0, directives: 0, selections: 0, rootFields: 0 };
  const walk = (set: SelectionSetNode, depth: number): void => {
    for (const node of set.selections) {
      counts.selections += 1;
      counts.directives += node.directives?.length ?? 0;
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value);
        if (fragment) walk(fragment.selectionSet, depth);
      } else if (node.kind === Kind.INLINE_FRAGMENT) walk(node.selectionSet, depth);
      else {
        counts.depth = Math.max(counts.depth, depth + 1);
        if (depth === 0) counts.rootFields += 1;
        if (node.alias) counts.aliases += 1;
        if (node.selectionSet) walk(node.selectionSet, depth + 1);
      }
    }
  };
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet, 0);
  return counts;
}
