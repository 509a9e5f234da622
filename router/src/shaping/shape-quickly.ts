import type { FieldShape, ObjectShape, TypeShape } from './object-shape.ts';

/** Something is not as it should be: the answer needs the pass that keeps paths. */
export const unusual = Symbol('unusual');

/**
 * The client's answer for data without a fault: no error, no null where none may be, no value of
 * another type. Returns `unusual` at the first sight of one, and keeps no paths on the way.
 */
export function shapeQuickly(
  shape: ObjectShape,
  typename: string,
  data: Readonly<Record<string, unknown>>,
): Record<string, unknown> | typeof unusual {
  const fields = shape.fieldsOf(typename);
  if (fields === undefined) return unusual;
  const answer: Record<string, unknown> = {};
  for (const field of fields) {
    const value = field.isMeta ? typename : complete(field, data[field.source]);
    if (value === unusual) return unusual;
    answer[field.response] = value;
  }
  return answer;
}

function complete(field: FieldShape, value: unknown): unknown {
  if (field.type === undefined || field.isUnusual) return unusual;
  return completeType(field.type, value);
}

function completeType(type: TypeShape, value: unknown): unknown {
  const kind = typeof value;
  if (kind === 'string') {
    if (type.item !== undefined || type.object !== undefined) return unusual;
    return type.values === undefined || type.values.has(String(value)) ? value : unusual;
  }
  if (kind === 'number' || kind === 'boolean') {
    return type.item || type.object || type.values ? unusual : value;
  }
  if (typeof value !== 'object') return type.nonNull ? unusual : null;
  if (value === null) return type.nonNull ? unusual : null;
  if (type.object !== undefined) return completeObject(type.object, value);
  if (type.item === undefined || !Array.isArray(value)) return unusual;
  const item = type.item;
  const list: unknown[] = [];
  for (const element of value) {
    const completed = completeType(item, element);
    if (completed === unusual) return unusual;
    list.push(completed);
  }
  return list;
}

function completeObject(shape: ObjectShape, value: object): unknown {
  if (!shape.isPlainData(value)) return unusual;
  if (!shape.isAbstract) return shapeQuickly(shape, shape.declared.name, value);
  const typename = value['__typename'];
  if (typeof typename !== 'string') return shapeQuickly(shape, shape.declared.name, value);
  return shapeQuickly(shape, typename, value);
}
