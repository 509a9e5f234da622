import { Lexer, Source, TokenKind } from 'graphql';

/** Whether a document has more than `limit` tokens; stops reading at the first one too many. */
export function hasMoreTokensThan(query: string, limit: number): boolean {
  // A token is at least one character: short documents need no count.
  if (query.length <= limit) return false;
  const lexer = new Lexer(new Source(query));
  try {
    for (let count = 0; count <= limit; count += 1) {
      if (lexer.advance().kind === TokenKind.EOF) return false;
    }
  } catch {
    return false; // Not GraphQL: the parser says so, and stops at the same place.
  }
  return true;
}
