interface Answer {
  readonly data?: unknown;
  readonly errors?:
    | readonly { readonly path?: readonly (string | number)[] | undefined }[]
    | undefined;
}

/**
 * How two answers differ, in words; undefined when they agree. Data must be the same, keys in the
 * same order. Errors must explain the same nulls: where null propagates, GraphQL lets an
 * implementation report any of the errors below it.
 */
export function difference(expected: Answer, actual: Answer): string | undefined {
  const [wanted, got] = [
    JSON.stringify(expected.data ?? null),
    JSON.stringify(actual.data ?? null),
  ];
  if (wanted !== got) return `data\n  expected ${wanted}\n  actual   ${got}`;
  const [mine, theirs] = [explained(expected), explained(actual)];
  if (mine.join('\n') === theirs.join('\n')) return undefined;
  return `errors\n  expected ${mine.join(' ')}\n  actual   ${theirs.join(' ')}`;
}

/** The nulls that errors explain, each once, in one order. */
function explained({ data, errors = [] }: Answer): readonly string[] {
  const nulls = new Set<string>();
  for (const { path } of errors) {
    let value: unknown = data;
    const walked: (string | number)[] = [];
    for (const step of path ?? ['<no path>']) {
      if (value === null || value === undefined) break;
      walked.push(step);
      value =
        typeof value === 'object'
          ? Object.entries(value).find(([key]) => key === String(step))?.[1]
          : undefined;
    }
    nulls.add(JSON.stringify(walked));
  }
  return [...nulls].toSorted();
}
