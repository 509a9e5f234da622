import { type FieldNode, Kind, type ValueNode, visit } from 'graphql';

import { argumentsText } from './arguments-text.ts';
import type { Supergraph } from './supergraph.ts';

/** A field where it is selected. */
export interface SelectedField {
  readonly parentType: string;
  readonly field: FieldNode;
  readonly takesArguments: boolean;
  readonly isComposite: boolean;
}

/**
 * The response key under which a field is fetched, whatever a client called it. A leaf has one key
 * per (field, arguments, shape), so two selections of it share a key exactly when they mean the same
 * value. Objects that a client keeps apart under different keys stay apart, because a null that
 * propagates inside one must not take the other along; and so do root fields of a mutation, because
 * asked for twice they happen twice. A plain field keeps its name; the others get an alias that no
 * schema uses.
 */
export type FieldKeys = (selected: SelectedField) => string;

export function fieldKeys(supergraph: Supergraph): FieldKeys {
  const textOf = new Map<string, string>();
  const responsesOf = new Map<string, Map<string, number>>();
  const mutation = supergraph.apiSchema.getMutationType()?.name;

  return ({ parentType, field, takesArguments, isComposite }) => {
    const name = field.name.value;
    const response = field.alias?.value ?? name;
    if (parentType === mutation) return `_m${ordinal('', response)}_${name}`;
    const group = supergraph.shapeGroup(parentType, name);
    const text = argumentsText(field);
    let key = name;
    if (takesArguments || group !== 0) {
      key = text === '' ? `_c${group}_${name}` : `_c${group}_${hashOf(text)}_${name}`;
    }
    const copy = isComposite ? ordinal(key, response) : 0;
    return copy === 0 ? key : `_d${copy}_${key}`;
  };

  /** Which of the client's names for that key this one is, in order of appearance. */
  function ordinal(key: string, response: string): number {
    const responses = responsesOf.get(key) ?? new Map<string, number>();
    responsesOf.set(key, responses);
    const known = responses.get(response) ?? responses.size;
    responses.set(response, known);
    return known;
  }

  /** One operation never holds two different texts under one hash: the second gets another. */
  function hashOf(text: string): string {
    let hash = fnv1a(text);
    while ((textOf.get(hash) ?? text) !== text) hash += 'x';
    textOf.set(hash, text);
    return hash;
  }
}

export function variablesIn(field: FieldNode): readonly string[] {
  const names: string[] = [];
  for (const argument of field.arguments ?? []) collectVariables(argument.value, names);
  return names;
}

function collectVariables(value: ValueNode, names: string[]): void {
  if (value.kind === Kind.VARIABLE) names.push(value.name.value);
  else if (value.kind === Kind.LIST || value.kind === Kind.OBJECT) {
    visit(value, { Variable: (node) => void names.push(node.name.value) });
  }
}

/** FNV-1a, 64 bits in two halves; collisions are detected above, so speed is all it owes. */
function fnv1a(text: string): string {
  let high = 0x811c9dc5;
  let low = 0xcbf29ce4;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ (code + index), 0x01000193);
  }
  return (high >>> 0).toString(36) + (low >>> 0).toString(36);
}
