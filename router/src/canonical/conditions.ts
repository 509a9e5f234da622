import { type DocumentNode, Kind, type SelectionNode, visit } from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/** Does the selection survive its `@skip` and `@include` under these variables? */
export function isIncluded(selection: SelectionNode, variables: Variables): boolean {
  const directives = selection.directives;
  if (directives === undefined || directives.length === 0) return true;
  for (const directive of directives) {
    const name = directive.name.value;
    if (name !== 'skip' && name !== 'include') continue;
    const value = directive.arguments?.[0]?.value;
    const holds =
      value?.kind === Kind.VARIABLE
        ? variables[value.name.value] === true
        : value?.kind === Kind.BOOLEAN && value.value;
    if (name === 'skip' ? holds : !holds) return false;
  }
  return true;
}

/** Names of the variables that decide which selections survive, in order of appearance. */
export function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      if (node.name.value !== 'skip' && node.name.value !== 'include') return;
      const value = node.arguments?.[0]?.value;
      if (value?.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
