import type { Rule } from './grammar.ts';

/** Where a text stands in a grammar: every way it can go on. The same place is the same object. */
export interface Place {
  /** The text so far is complete. */
  readonly complete: boolean;
  /** Nothing may follow. */
  readonly over: boolean;
  /** The place after one more byte; undefined when no text goes on with it. */
  after(byte: number): Place | undefined;
}

/** What is still to come, as a list; the empty list is the end. Equal lists are the same object. */
interface Tail {
  readonly id: number;
  readonly rule: Rule | undefined;
  readonly rest: Tail | undefined;
}

/** The start of a grammar. A pushdown recogniser that follows all derivations at once and remembers each place it has been. */
export function recogniser(grammar: Rule): Place {
  const end: Tail = { id: 0, rule: undefined, rest: undefined };
  const ruleIds = new Map<Rule, number>();
  const tails = new Map<string, Tail>();
  const repeats = new Map<string, Rule>();
  const places = new Map<string, Place>();

  const idOf = (rule: Rule) => {
    const id = ruleIds.get(rule) ?? ruleIds.size;
    ruleIds.set(rule, id);
    return id;
  };

  function tailOf(rule: Rule, rest: Tail): Tail {
    const key = `${idOf(rule)},${rest.id}`;
    const tail = tails.get(key) ?? { id: tails.size + 1, rule, rest };
    tails.set(key, tail);
    return tail;
  }

  /** A repetition with one round done; the same object each time, so that places stay comparable. */
  function oneFewer(rule: Extract<Rule, { kind: 'repeat' }>): Rule {
    if (rule.min === 0 && rule.max === Number.POSITIVE_INFINITY) return rule;
    const min = Math.max(0, rule.min - 1);
    const max = rule.max - 1;
    const key = `${idOf(rule.part)},${min},${max}`;
    const fewer = repeats.get(key) ?? { kind: 'repeat', part: rule.part, min, max };
    repeats.set(key, fewer);
    return fewer;
  }

  /** All tails that begin with a byte, or the end, that a tail comes down to. */
  function expand(tail: Tail, into: Set<Tail>, seen: Set<Tail>): void {
    if (seen.has(tail)) return;
    seen.add(tail);
    const { rule, rest } = tail;
    if (rule === undefined || rest === undefined) {
      into.add(end);
      return;
    }
    switch (rule.kind) {
      case 'byte':
        into.add(tail);
        return;
      case 'sequence':
        expand(
          rule.parts.reduceRight((after, part) => tailOf(part, after), rest),
          into,
          seen,
        );
        return;
      case 'choice':
        for (const option of rule.options) expand(tailOf(option, rest), into, seen);
        return;
      case 'later':
        expand(tailOf(rule.rule(), rest), into, seen);
        return;
      case 'repeat':
        if (rule.min === 0) expand(rest, into, seen);
        if (rule.max > 0) expand(tailOf(rule.part, tailOf(oneFewer(rule), rest)), into, seen);
    }
  }

  function placeOf(starts: readonly Tail[]): Place {
    const open = new Set<Tail>();
    const seen = new Set<Tail>();
    for (const start of starts) expand(start, open, seen);
    const key = [...open]
      .map(({ id }) => id)
      .toSorted((a, b) => a - b)
      .join(',');
    const known = places.get(key);
    if (known) return known;

    const next = new Map<number, Place | undefined>();
    const step = (byte: number) => {
      const tailsAfter = [...open].flatMap(({ rule, rest }) =>
        rule?.kind === 'byte' && rest && rule.accepts(byte) ? [rest] : [],
      );
      return tailsAfter.length === 0 ? undefined : placeOf(tailsAfter);
    };
    const place: Place = {
      complete: open.has(end),
      over: open.size === 1 && open.has(end),
      after(byte) {
        if (!next.has(byte)) next.set(byte, step(byte));
        return next.get(byte);
      },
    };
    places.set(key, place);
    return place;
  }

  return placeOf([tailOf(grammar, end)]);
}
