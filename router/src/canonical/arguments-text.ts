import { type ArgumentNode, type FieldNode, print } from 'graphql';

/** Arguments as GraphQL text, in one order whatever order they were written in; `''` if none. */
export function argumentsText(field: FieldNode): string {
  const given = field.arguments;
  if (given === undefined || given.length === 0) return '';
  if (given.length === 1) return given.map(printArgument).join('');
  return given.map(printArgument).toSorted().join(',');
}

function printArgument(argument: ArgumentNode): string {
  return `${argument.name.value}:${print(argument.value)}`;
}
