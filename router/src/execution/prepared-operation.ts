import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLObjectType,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';

import { type CanonicalOperation, canonicalOperations } from '../canonical/canonical-operation.ts';
import { conditionVariables } from '../canonical/conditions.ts';
import { fieldKeys } from '../canonical/field-key.ts';
import type { Supergraph } from '../canonical/supergraph.ts';
import { type ObjectShape, rootShape } from '../shaping/object-shape.ts';

/** One operation of a document, ready to be run with any variables. */
export interface PreparedOperation {
  readonly operation: OperationDefinitionNode;
  readonly rootType: GraphQLObjectType;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  coerce(variables: Readonly<Record<string, unknown>>): CoercedVariables;
  /** Canonical fetches and shape for these values of the condition variables. */
  variantFor(variables: Readonly<Record<string, unknown>>): OperationVariant;
}

export type CoercedVariables =
  | { readonly values: Readonly<Record<string, unknown>> }
  | { readonly errors: readonly GraphQLError[] };

/** The operation once its `@skip` and `@include` are decided. */
export interface OperationVariant {
  readonly canonical: readonly CanonicalOperation[];
  readonly shape: ObjectShape;
  readonly typename: string;
  readonly hasMeta: boolean;
}

/** Variants kept per operation: one for each combination of condition values met. */
const maxVariants = 64;

const noVariables: CoercedVariables = { values: {} };

/** Undefined when the document has no such operation, or its root type does not exist. */
export function prepareOperation(
  supergraph: Supergraph,
  document: DocumentNode,
  operationName: string | undefined,
): PreparedOperation | undefined {
  const operation = operationOf(document, operationName);
  const rootType = operation && supergraph.apiSchema.getRootType(operation.operation);
  if (!operation || !rootType) return undefined;
  const fragments = fragmentsOf(document);
  const conditions = conditionVariables(document);
  const definitions = operation.variableDefinitions ?? [];
  const variants = new Map<string, OperationVariant>();
  return {
    operation,
    rootType,
    fragments,
    coerce(variables) {
      if (definitions.length === 0) return noVariables;
      const result = getVariableValues(supergraph.apiSchema, definitions, variables);
      return result.errors ? { errors: result.errors } : { values: result.coerced };
    },
    variantFor(variables) {
      let bits = '';
      for (const name of conditions) bits += variables[name] === true ? '1' : '0';
      const known = variants.get(bits);
      if (known) return known;
      const keys = fieldKeys(supergraph);
      const copies = new Map<string, number>();
      const shape = rootShape(rootType, operation.selectionSet, {
        supergraph,
        fragments,
        variables,
        keys,
        copies,
      });
      const variant: OperationVariant = {
        canonical: canonicalOperations({
          supergraph,
          operation,
          fragments,
          variables,
          keys,
          copies,
        }),
        shape,
        typename: rootType.name,
        hasMeta: (shape.fieldsOf(rootType.name) ?? []).some(
          (field) => field.name === '__schema' || field.name === '__type',
        ),
      };
      if (variants.size >= maxVariants) variants.clear();
      variants.set(bits, variant);
      return variant;
    },
  };
}

function operationOf(
  document: DocumentNode,
  name: string | undefined,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (name !== undefined) return operations.find((operation) => operation.name?.value === name);
  return operations.length === 1 ? operations[0] : undefined;
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  return fragments;
}
