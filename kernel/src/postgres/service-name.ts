/** Checks a name before it becomes a part of SQL text. */
export function serviceName(name: string): string {
  if (/^[a-z][a-z0-9_]{0,40}$/.test(name)) return name;
  throw new Error(`A service's name is lower-case letters, digits and _: ${name}`);
}
