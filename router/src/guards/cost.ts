import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { DemandHints } from './demand.ts';
import { fragmentsOf } from './measure.ts';

export interface CostQuestion {
  readonly schema: GraphQLSchema;
  readonly hints: DemandHints;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

const slicing = ['first', 'last', 'limit', 'k'] as const;
const pages = new Set(['edges', 'nodes', 'items', 'results']);
/** A connection without an argument yields its default page; other lists here are small and fixed. */
const defaultPage = 20;
const defaultList = 5;
const mutationWeight = 10;

/**
 * Objects the operation may return, by IBM's cost specification as Apollo's demand control reads
 * it: one per object, times the size of each list on the way, leaves free, ten per mutation.
 */
export function estimateCost(question: CostQuestion): number {
  const { schema, operation } = question;
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return 0;
  const estimate = estimator(question, fragmentsOf(question.document));
  const base = operation.operation === OperationTypeNode.MUTATION ? mutationWeight : 0;
  return base + estimate(operation.selectionSet, root.name, undefined);
}

/** How many objects the parent said its page fields will hold. */
interface Page {
  readonly size: number;
  readonly fields: ReadonlySet<string>;
}

function estimator(
  { schema, hints, variables }: CostQuestion,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
) {
  return function estimate(set: SelectionSetNode, parent: string, page: Page | undefined): number {
    let total = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) total += field(selection, parent, page);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        total += estimate(
          selection.selectionSet,
          selection.typeCondition?.name.value ?? parent,
          page,
        );
      else {
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined)
          total += estimate(fragment.selectionSet, fragment.typeCondition.name.value, page);
      }
    }
    return total;

    function field(node: FieldNode, type: string, within: Page | undefined): number {
      const definition = fieldOf(schema, type, node.name.value);
      if (definition === undefined) return 0;
      const named = getNamedType(definition.type);
      const key = `${type}.${node.name.value}`;
      const weight = hints.weights.get(key) ?? (isCompositeType(named) ? 1 : 0);
      const own = sizeOf(node, definition, key);
      const times = isList(definition)
        ? within?.fields.has(node.name.value)
          ? within.size
          : own.size
        : 1;
      const inner =
        node.selectionSet === undefined
          ? 0
          : estimate(node.selectionSet, named.name, isList(definition) ? undefined : own);
      return times * (weight + inner);
    }
  };

  function sizeOf(node: FieldNode, definition: GraphQLField<unknown, unknown>, key: string): Page {
    const hint = hints.lists.get(key);
    const names = hint?.slicingArguments.length ? hint.slicingArguments : slicing;
    const asked = names.flatMap((name) => {
      const declared = definition.args.find((it) => it.name === name);
      if (declared === undefined) return [];
      const value = node.arguments?.find((it) => it.name.value === name)?.value;
      const size = value === undefined ? declared.defaultValue : numberOf(value, variables);
      return [typeof size === 'number' ? size : defaultPage];
    });
    return {
      size: Math.max(0, asked.length > 0 ? Math.max(...asked) : (hint?.assumedSize ?? defaultList)),
      fields: hint?.sizedFields.length ? new Set(hint.sizedFields) : pages,
    };
  }
}

function fieldOf(schema: GraphQLSchema, type: string, name: string) {
  const parent = schema.getType(type);
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

function isList(definition: GraphQLField<unknown, unknown>): boolean {
  return isListType(isNonNullType(definition.type) ? definition.type.ofType : definition.type);
}

function numberOf(value: ValueNode, variables: Readonly<Record<string, unknown>>): unknown {
  if (value.kind === Kind.INT) return Number(value.value);
  return value.kind === Kind.VARIABLE ? variables[value.name.value] : undefined;
}
