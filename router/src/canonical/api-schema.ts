import {
  type ASTNode,
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  visit,
} from 'graphql';

const keptDirectives = new Set(['deprecated', 'specifiedBy', 'oneOf']);

const executableLocations = new Set([
  'QUERY',
  'MUTATION',
  'SUBSCRIPTION',
  'FIELD',
  'FRAGMENT_DEFINITION',
  'FRAGMENT_SPREAD',
  'INLINE_FRAGMENT',
  'VARIABLE_DEFINITION',
]);

/**
 * What clients may ask for: the supergraph without the machinery of federation and without
 * whatever a subgraph marked `@inaccessible` (Federation 2 specification, "API schema").
 */
export function apiSchemaOf(supergraph: DocumentNode): GraphQLSchema {
  const definitions = supergraph.definitions.filter(isForClients);
  const hiddenTypes = new Set<string>();
  for (const definition of supergraph.definitions) {
    if (isHidden(definition) && 'name' in definition && definition.name) {
      hiddenTypes.add(definition.name.value);
    }
  }
  const visible = visit({ kind: Kind.DOCUMENT, definitions } satisfies DocumentNode, {
    enter: (node) => (isHidden(node) ? null : undefined),
    Directive: { leave: (node) => (keptDirectives.has(node.name.value) ? undefined : null) },
    NamedType: { leave: (node) => (hiddenTypes.has(node.name.value) ? null : undefined) },
  });
  return buildASTSchema(visible, { assumeValid: true, assumeValidSDL: true });
}

function isForClients(definition: DefinitionNode): boolean {
  if (definition.kind === Kind.DIRECTIVE_DEFINITION) {
    return (
      !definition.name.value.includes('__') &&
      definition.locations.some((location) => executableLocations.has(location.value))
    );
  }
  return !('name' in definition) || !definition.name?.value.includes('__');
}

function isHidden(node: ASTNode): boolean {
  return (
    'directives' in node &&
    (node.directives?.some((directive) => directive.name.value === 'inaccessible') ?? false)
  );
}
