import { type FieldNode, Kind, print, type ValueNode, visit } from 'graphql';

import type { Supergraph } from './supergraph.ts';

/**
 * The response key under which a field is fetched, whatever a client called it: one key per
 * (field, arguments, shape), so two selections share a key exactly when they mean the same value.
 * A plain field keeps its name; a field that takes arguments, or whose name means other shapes on
 * other types, gets an alias that no schema uses.
 */
export type FieldKeys = (parentType: string, field: FieldNode, takesArguments: boolean) => string;

export function fieldKeys(supergraph: Supergraph): FieldKeys {
  const arguments_ = new Map<string, string>();
  return (parentType, field, takesArguments) => {
    const name = field.name.value;
    const group = supergraph.shapeGroup(parentType, name);
    if (!takesArguments && group === 0) return name;
    const text = argumentsText(field);
    if (text === '') return `_c${group}_${name}`;
    // One operation never holds two different texts under one hash: the second gets another.
    let hash = fnv1a(text);
    while ((arguments_.get(hash) ?? text) !== text) hash += 'x';
    arguments_.set(hash, text);
    return `_c${group}_${hash}_${name}`;
  };
}

/** Arguments as GraphQL text, in one order whatever order they were written in; `''` if none. */
export function argumentsText(field: FieldNode): string {
  const given = field.arguments;
  if (given === undefined || given.length === 0) return '';
  if (given.length === 1) return given.map(printArgument).join('');
  return given.map(printArgument).sort().join(',');
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

function printArgument(argument: { name: { value: string }; value: ValueNode }): string {
  return `${argument.name.value}:${print(argument.value)}`;
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
