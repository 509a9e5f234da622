/** What the read side must hold, since it was waited for. */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('A stored change is missing from the read side');
  return value;
}
