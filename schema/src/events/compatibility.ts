/** As much of JSON Schema (2020-12) as event contracts use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
}

/**
 * Why a changed contract breaks what was written for the old one: events that are stored must still be readable, and
 * readers that were not updated must still understand new events. Adding an optional field breaks nothing.
 */
export function breakingChanges(
  before: JsonSchema,
  after: JsonSchema,
  path = 'event',
): readonly string[] {
  return [
    ...typeChanges(before, after, path),
    ...valueChanges(before, after, path),
    ...fieldChanges(before, after, path),
    ...(before.items && after.items ? breakingChanges(before.items, after.items, `${path}[]`) : []),
  ];
}

function typeChanges(before: JsonSchema, after: JsonSchema, path: string): readonly string[] {
  const shape = ({ type, anyOf, const: only }: JsonSchema) => JSON.stringify([type, anyOf, only]);
  return shape(before) === shape(after) ? [] : [`${path} has another type`];
}

function valueChanges(before: JsonSchema, after: JsonSchema, path: string): readonly string[] {
  if (!before.enum && !after.enum) return [];
  const old = new Set(before.enum);
  const current = new Set(after.enum);
  return [
    ...[...old]
      .filter((value) => !current.has(value))
      .map((value) => `${path} lost ${String(value)}`),
    ...[...current]
      .filter((value) => !old.has(value))
      .map((value) => `${path} may be ${String(value)}, which old readers do not know`),
  ];
}

function fieldChanges(before: JsonSchema, after: JsonSchema, path: string): readonly string[] {
  const old = before.properties ?? {};
  const current = after.properties ?? {};
  const requiredBefore = new Set(before.required);
  const requiredAfter = new Set(after.required);
  const kept = Object.keys(old).flatMap((name) => {
    const field = `${path}.${name}`;
    const [was, is] = [old[name], current[name]];
    if (!was || !is) return [`${field} is gone`];
    const weakened = requiredBefore.has(name) && !requiredAfter.has(name);
    const demanded = !requiredBefore.has(name) && requiredAfter.has(name);
    return [
      ...(weakened ? [`${field} may be missing, which old readers do not expect`] : []),
      ...(demanded ? [`${field} is demanded, and stored events may lack it`] : []),
      ...breakingChanges(was, is, field),
    ];
  });
  const added = Object.keys(current)
    .filter((name) => !Object.hasOwn(old, name) && requiredAfter.has(name))
    .map((name) => `${path}.${name} is new and demanded, and stored events lack it`);
  return [...kept, ...added];
}
