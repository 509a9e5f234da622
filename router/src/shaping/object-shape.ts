import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

import { copyKey } from '../canonical/canonical-operation.ts';
import { isIncluded } from '../canonical/conditions.ts';
import type { FieldKeys } from '../canonical/field-key.ts';
import { narrow } from '../canonical/narrow.ts';
import type { Supergraph } from '../canonical/supergraph.ts';
import { FieldError } from '../execution/failure.ts';

export interface ShapeContext {
  readonly supergraph: Supergraph;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly keys: FieldKeys;
  /** Keys under which an object was fetched several times, and how often. */
  readonly copies: ReadonlyMap<string, number>;
}

/** One key of the client's answer and where its value lies in the joined data. */
export interface FieldShape {
  readonly response: string;
  readonly name: string;
  /** Every selection of the key, merged here. */
  readonly nodes: readonly FieldNode[];
  readonly source: string;
  /** Further keys that hold parts of the same value; rare. */
  readonly more: readonly string[];
  /** Undefined for meta fields. */
  readonly type: TypeShape | undefined;
  /** `__typename`. */
  readonly isMeta: boolean;
  /** It takes more than reading one key and writing another. */
  readonly isUnusual: boolean;
}

/** A field's type as the shaper walks it. */
export interface TypeShape {
  readonly nonNull: boolean;
  readonly item: TypeShape | undefined;
  readonly object: ObjectShape | undefined;
  readonly values: ReadonlySet<string> | undefined;
  /** A scalar whose values may be objects. */
  readonly isOpen: boolean;
}

interface ScopedSet {
  readonly set: SelectionSetNode;
  /** The type the selections are written against, which decides their keys. */
  readonly scope: GraphQLCompositeType;
}

const closedScalars = new Set(['Int', 'Float', 'String', 'Boolean', 'ID']);

/** The client's merged selections at one place, resolved per concrete type when first met. */
export class ObjectShape {
  readonly declared: GraphQLCompositeType;
  readonly isAbstract: boolean;
  readonly #sets: readonly ScopedSet[];
  readonly #context: ShapeContext;
  readonly #byType = new Map<string, readonly FieldShape[]>();

  constructor(declared: GraphQLCompositeType, sets: readonly ScopedSet[], context: ShapeContext) {
    this.declared = declared;
    this.isAbstract = isAbstractType(declared);
    this.#sets = sets;
    this.#context = context;
  }

  /** Fields for an object of that type; undefined when no such object can stand here. */
  fieldsOf(typename: string): readonly FieldShape[] | undefined {
    const known = this.#byType.get(typename);
    if (known) return known;
    const type = this.#resolve(typename);
    if (!type) return undefined;
    const fields = this.#collect(type);
    this.#byType.set(typename, fields);
    return fields;
  }

  /** An object of the joined data, and not an error or a list in its place. */
  isPlainData(value: object): value is Readonly<Record<string, unknown>> {
    return !Array.isArray(value) && !(value instanceof FieldError);
  }

  /** A field that reads that key, whatever the object's type may have been. */
  anyFieldFrom(source: string): FieldShape | undefined {
    const types = isAbstractType(this.declared)
      ? this.#context.supergraph.apiSchema.getPossibleTypes(this.declared)
      : [this.declared];
    for (const type of types) {
      const fields = this.fieldsOf(type.name) ?? [];
      const field = fields.find(
        (candidate) => candidate.source === source || candidate.more.includes(source),
      );
      if (field) return field;
    }
    return undefined;
  }

  #resolve(typename: string): GraphQLCompositeType | undefined {
    if (typename === this.declared.name) return this.declared;
    const schema = this.#context.supergraph.apiSchema;
    const type = schema.getType(typename);
    if (!isAbstractType(this.declared)) return undefined;
    if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
    return schema.isSubType(this.declared, type) ? type : undefined;
  }

  #collect(runtime: GraphQLCompositeType): readonly FieldShape[] {
    const found = new Map<string, Draft>();
    for (const { set, scope } of this.#sets) this.#visit(found, runtime, scope, set);
    return [...found.values()].map((draft) => this.#finish(draft));
  }

  #visit(
    found: Map<string, Draft>,
    runtime: GraphQLCompositeType,
    scope: GraphQLCompositeType,
    selections: SelectionSetNode,
  ): void {
    const { supergraph, fragments, variables, keys } = this.#context;
    for (const selection of selections.selections) {
      if (!isIncluded(selection, variables)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        const response = selection.alias?.value ?? name;
        const definition =
          name.startsWith('__') || !(isObjectType(scope) || isInterfaceType(scope))
            ? undefined
            : scope.getFields()[name];
        if (!definition && !name.startsWith('__')) continue;
        const source = definition
          ? keys({
              parentType: scope.name,
              field: selection,
              takesArguments: definition.args.length > 0,
              isComposite: isCompositeType(getNamedType(definition.type)),
            })
          : name;
        const own =
          isObjectType(runtime) || isInterfaceType(runtime) ? runtime.getFields()[name] : undefined;
        const draft = found.get(response) ?? {
          response,
          name,
          nodes: [],
          sources: [],
          type: (own ?? definition)?.type,
          sets: [],
        };
        found.set(response, draft);
        draft.nodes.push(selection);
        if (!draft.sources.includes(source)) draft.sources.push(source);
        const named = definition && getNamedType(definition.type);
        if (selection.selectionSet && isCompositeType(named)) {
          draft.sets.push({ set: selection.selectionSet, scope: named });
        }
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (!fragment) continue;
      const narrowed = narrow(supergraph, scope, fragment.typeCondition?.name.value);
      if (narrowed && applies(supergraph, runtime, narrowed)) {
        this.#visit(found, runtime, narrowed, fragment.selectionSet);
      }
    }
  }

  #finish(draft: Draft): FieldShape {
    const { copies } = this.#context;
    const [source = draft.name, ...more] = draft.sources.flatMap((key) => [
      key,
      ...Array.from({ length: copies.get(key) ?? 0 }, (_, index) => copyKey(index + 1, key)),
    ]);
    return {
      response: draft.response,
      name: draft.name,
      nodes: draft.nodes,
      source,
      more,
      type: draft.type && this.#typeShape(draft.type, draft.sets),
      isMeta: draft.name === '__typename' && draft.response !== '__proto__',
      isUnusual: more.length > 0 || draft.response === '__proto__',
    };
  }

  #typeShape(type: GraphQLOutputType, sets: readonly ScopedSet[]): TypeShape {
    const nonNull = isNonNullType(type);
    const inner = nonNull ? type.ofType : type;
    const shape = {
      nonNull,
      item: undefined,
      object: undefined,
      values: undefined,
      isOpen: false,
    };
    if (isListType(inner)) return { ...shape, item: this.#typeShape(inner.ofType, sets) };
    if (isCompositeType(inner)) {
      return { ...shape, object: new ObjectShape(inner, sets, this.#context) };
    }
    if (isEnumType(inner)) {
      return { ...shape, values: new Set(inner.getValues().map((value) => value.name)) };
    }
    return { ...shape, isOpen: !closedScalars.has(inner.name) };
  }
}

export function rootShape(
  type: GraphQLObjectType,
  set: SelectionSetNode,
  context: ShapeContext,
): ObjectShape {
  return new ObjectShape(type, [{ set, scope: type }], context);
}

interface Draft {
  readonly response: string;
  readonly name: string;
  readonly nodes: FieldNode[];
  readonly sources: string[];
  readonly type: GraphQLOutputType | undefined;
  readonly sets: ScopedSet[];
}

function applies(
  supergraph: Supergraph,
  runtime: GraphQLCompositeType,
  condition: GraphQLCompositeType,
): boolean {
  if (runtime === condition) return true;
  if (!isAbstractType(condition)) return false;
  if (!isObjectType(runtime) && !isInterfaceType(runtime)) return false;
  return supergraph.apiSchema.isSubType(condition, runtime);
}
