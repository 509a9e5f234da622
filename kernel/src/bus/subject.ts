/** Makes a test for NATS subject patterns: `*` stands for one token, a last `>` for one or more. */
export function matchSubjects(patterns: readonly string[]): (subject: string) => boolean {
  const split = patterns.map((pattern) => pattern.split('.'));
  return (subject) => {
    const tokens = subject.split('.');
    return split.some((pattern) => matches(pattern, tokens));
  };
}

function matches(pattern: readonly string[], tokens: readonly string[]): boolean {
  if (pattern.at(-1) === '>') {
    return (
      tokens.length >= pattern.length &&
      pattern.slice(0, -1).every((part, at) => part === '*' || part === tokens[at])
    );
  }
  return (
    tokens.length === pattern.length &&
    pattern.every((part, at) => part === '*' || part === tokens[at])
  );
}
