import { answers } from '../errors.ts';

/** The parameters of one operation, as every transport delivers them. */
export interface Params {
  /** Left out when `extensions` name a persisted query. */
  readonly query: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly extensions: Readonly<Record<string, unknown>>;
}

const empty: Readonly<Record<string, unknown>> = Object.freeze({});

/** Reads parameters by GraphQL over HTTP, section "Request Parameters". Throws BAD_REQUEST. */
export function paramsFrom(value: unknown): Params {
  if (!isRecord(value)) throw answers.BAD_REQUEST();
  const { query, operationName, variables, extensions } = value;
  if (!(query === undefined || query === null || typeof query === 'string'))
    throw answers.BAD_REQUEST();
  if (!(operationName === undefined || operationName === null || typeof operationName === 'string'))
    throw answers.BAD_REQUEST();
  return {
    query: query ?? undefined,
    operationName: operationName === null || operationName === '' ? undefined : operationName,
    variables: mapFrom(variables),
    extensions: mapFrom(extensions),
  };
}

/** The same from the query string of a GET, where maps travel as JSON. */
export function paramsFromUrl(url: string): Params {
  const mark = url.indexOf('?');
  const search = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  return paramsFrom({
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') ?? undefined,
    variables: jsonFrom(search.get('variables')),
    extensions: jsonFrom(search.get('extensions')),
  });
}

/** Parses JSON, or throws BAD_REQUEST. */
export function jsonFrom(text: string | null): unknown {
  if (text === null || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw answers.BAD_REQUEST({}, error);
  }
}

function mapFrom(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return empty;
  if (!isRecord(value)) throw answers.BAD_REQUEST();
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
