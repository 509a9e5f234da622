import { type Failure, FieldError } from '../execution/failure.ts';
import type { FieldShape, ObjectShape, TypeShape } from './object-shape.ts';
import { shapeQuickly, unusual } from './shape-quickly.ts';

export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface ShapedAnswer {
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly AnswerError[];
}

export interface ShapeRequest {
  readonly shape: ObjectShape;
  readonly typename: string;
  /** The joined data, under canonical keys. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Answers for `__schema` and `__type`, under the client's keys. */
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  /** Reports of one failure, when it hit many places. @default 50 */
  readonly maxReportsPerFailure?: number;
}

/**
 * What the client asked for, out of the joined data, in one pass: client's keys in the client's
 * order, nulls propagated (GraphQL specification 6.4.4), errors at the client's paths.
 */
export function shapeAnswer(request: ShapeRequest): ShapedAnswer {
  const quick = request.meta
    ? unusual
    : shapeQuickly(request.shape, request.typename, request.data);
  if (quick !== unusual) return { data: quick, errors: [] };
  const shaper = new Shaper(request);
  const data = shaper.object(request.shape, request.typename, request.data, request.meta);
  return { data: data === propagated ? null : data, errors: shaper.errors };
}

const propagated = Symbol('a null that its parent may not hold');

const maxOpenDepth = 100;

class Shaper {
  readonly errors: AnswerError[] = [];
  readonly #path: (string | number)[] = [];
  readonly #reports = new Map<Failure, number>();
  readonly #maxReports: number;

  constructor(request: ShapeRequest) {
    this.#maxReports = request.maxReportsPerFailure ?? 50;
  }

  object(
    shape: ObjectShape,
    typename: string,
    value: Readonly<Record<string, unknown>>,
    meta?: Readonly<Record<string, unknown>>,
  ): Record<string, unknown> | typeof propagated {
    const fields = shape.fieldsOf(typename);
    if (!fields) return this.#invalid() ?? propagated;
    const answer: Record<string, unknown> = {};
    for (const field of fields) {
      const type = field.type;
      if (type === undefined) {
        const own = field.name === '__typename' ? typename : meta?.[field.response];
        assign(answer, field.response, own);
        continue;
      }
      this.#path.push(field.response);
      const completed = this.#complete(type, valueOf(field, value));
      this.#path.pop();
      if (completed === propagated) return propagated;
      assign(answer, field.response, completed);
    }
    return answer;
  }

  #complete(type: TypeShape, value: unknown): unknown {
    if (value === null || value === undefined) {
      if (!type.nonNull) return null;
      this.#report(nullInNonNull, []);
      return propagated;
    }
    if (value instanceof FieldError) {
      this.#report(value.failure, clientKeys(type, value.below));
      return type.nonNull ? propagated : null;
    }
    const completed = this.#present(type, value);
    if (completed !== propagated) return completed;
    return type.nonNull ? propagated : null;
  }

  #present(type: TypeShape, value: unknown): unknown {
    if (type.item) return Array.isArray(value) ? this.#list(type.item, value) : this.#invalid();
    if (type.object) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return this.#invalid();
      }
      const data = value as Record<string, unknown>;
      const { declared, isAbstract } = type.object;
      const typename = data['__typename'];
      return this.object(
        type.object,
        isAbstract && typeof typename === 'string' ? typename : declared.name,
        data,
      );
    }
    if (type.values) {
      return typeof value === 'string' && type.values.has(value) ? value : this.#invalid();
    }
    if (typeof value === 'object' && (!type.isOpen || isTooDeep(value, 0))) return this.#invalid();
    return value;
  }

  #list(item: TypeShape, values: readonly unknown[]): unknown {
    const completed = Array.from<unknown>({ length: values.length });
    for (let index = 0; index < values.length; index++) {
      this.#path.push(index);
      const one = this.#complete(item, values[index]);
      this.#path.pop();
      if (one === propagated) return propagated;
      completed[index] = one;
    }
    return completed;
  }

  #invalid(): typeof propagated {
    this.#report(invalidValue, []);
    return propagated;
  }

  #report(failure: Failure, below: readonly (string | number)[]): void {
    const reports = this.#reports.get(failure) ?? 0;
    if (reports >= this.#maxReports && failure !== nullInNonNull && failure !== invalidValue) {
      return;
    }
    this.#reports.set(failure, reports + 1);
    this.errors.push({
      message: failure.message,
      path: [...this.#path, ...below],
      extensions: failure.extensions,
    });
  }
}

const nullInNonNull: Failure = {
  message: 'A value that is never null is missing.',
  extensions: { code: 'INTERNAL_ERROR' },
};

const invalidValue: Failure = {
  message: 'A value does not fit its type.',
  extensions: { code: 'INTERNAL_ERROR' },
};

function valueOf(field: FieldShape, data: Readonly<Record<string, unknown>>): unknown {
  const value = data[field.source];
  if (field.more.length === 0) return value;
  let merged = value;
  for (const key of field.more) merged = together(merged, data[key]);
  return merged;
}

/** Two readings of one value, selected under two keys: their parts side by side. */
function together(a: unknown, b: unknown): unknown {
  if (a === undefined || a === null || a instanceof FieldError) return a ?? b;
  if (typeof a !== 'object' || typeof b !== 'object' || b === null || b instanceof FieldError) {
    return a;
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) ? a.map((value, index) => together(value, b[index])) : a;
  }
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) merged[key] = together(merged[key], value);
  return merged;
}

/** A path below a null, in the client's words as far as they can be told. */
function clientKeys(
  type: TypeShape,
  below: readonly (string | number)[],
): readonly (string | number)[] {
  const path: (string | number)[] = [];
  let current: TypeShape | undefined = type;
  for (const step of below) {
    if (typeof step === 'number') {
      if (!current?.item) return path;
      current = current.item;
    } else {
      const field: FieldShape | undefined = current?.object?.anyFieldFrom(step);
      if (!field) return path;
      path.push(field.response);
      current = field.type;
      continue;
    }
    path.push(step);
  }
  return path;
}

function assign(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else target[key] = value;
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth >= maxOpenDepth) return true;
  for (const inner of Object.values(value)) if (isTooDeep(inner, depth + 1)) return true;
  return false;
}
