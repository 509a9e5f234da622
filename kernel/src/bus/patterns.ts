/** NATS subject patterns as one regular expression, for PostgreSQL's `~` (tokens hold no dots). */
export function toRegex(patterns: readonly string[]): string {
  const alternatives = patterns.map((pattern) =>
    pattern
      .split('.')
      .map((token) => {
        if (token === '>') return '.+';
        if (token === '*') return '[^.]+';
        return token.replaceAll(/[^\w-]/g, String.raw`\$&`);
      })
      .join(String.raw`\.`),
  );
  return `^(${alternatives.join('|')})$`;
}
