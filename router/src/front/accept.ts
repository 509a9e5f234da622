/** How an answer leaves: one JSON document, or a stream of them. */
export type AnswerForm = 'graphql-response' | 'json' | 'event-stream' | 'multipart';

const known: readonly (readonly [string, AnswerForm])[] = [
  ['application/graphql-response+json', 'graphql-response'],
  ['application/json', 'json'],
  ['text/event-stream', 'event-stream'],
  ['multipart/mixed', 'multipart'],
];

/**
 * The forms a client accepts, the best first. GraphQL over HTTP, "Accept": without the header, or
 * for a wildcard, application/json. Empty when nothing fits.
 */
export function acceptedForms(accept: string | undefined): readonly AnswerForm[] {
  if (accept === undefined || accept === '' || accept === '*/*') return ['json'];
  if (accept === 'application/json') return ['json'];
  const wanted = accept
    .split(',')
    .slice(0, 20)
    .flatMap((part) => {
      const [type = '', ...parameters] = part
        .trim()
        .toLowerCase()
        .split(';')
        .map((it) => it.trim());
      const charset = parameters.find((it) => it.startsWith('charset='))?.slice(8);
      if (charset !== undefined && !['utf-8', 'utf8', '"utf-8"'].includes(charset)) return [];
      const weight = Number(parameters.find((it) => it.startsWith('q='))?.slice(2) ?? 1);
      const form = known.find(([name]) => name === type)?.[1];
      if (form !== undefined) return [{ form, weight }];
      return type === '*/*' || type === 'application/*' ? [{ form: 'json' as const, weight }] : [];
    });
  return wanted
    .filter(({ weight }) => weight > 0)
    .toSorted((left, right) => right.weight - left.weight)
    .map(({ form }) => form);
}

/** Whether a body may be read: JSON in UTF-8 and nothing else. */
export function isJsonBody(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  if (contentType === undefined) return false;
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((it) => it.trim());
  return (
    type === 'application/json' &&
    parameters.every((it) => it === '' || /^charset="?utf-?8"?$/.test(it))
  );
}
