import { defineError, type PlatformError } from '@opea/kernel/errors';

type None = Readonly<Record<string, never>>;
type Refuse = (details?: None, cause?: unknown) => PlatformError;

/** A refusal says the same sentence to everybody: no limit, no value, no name of a part. */
function refusal(code: string, status: number, sentence: string) {
  const make = defineError<None>(code, status, () => sentence);
  const refuse: Refuse = (details = {}, cause) => make(details, cause);
  return Object.assign(refuse, { kind: make.kind });
}

/** What the guards refuse, by the name that metrics, configuration and `extensions.code` share. */
export const refusals = {
  ALIASES: refusal('ALIASES', 400, 'The operation uses too many aliases.'),
  BATCH_OFF: refusal('BATCH_OFF', 400, 'Send one operation per request.'),
  BODY: refusal('BODY', 413, 'The request body is too large.'),
  COST: refusal('COST', 400, 'The operation would cost too much; ask for less at once.'),
  CSRF: refusal('CSRF', 400, 'A GET request needs a header that browsers do not send by default.'),
  DEPTH: refusal('DEPTH', 400, 'The operation is nested too deeply.'),
  DIRECTIVES: refusal('DIRECTIVES', 400, 'The operation uses too many directives.'),
  FEDERATION_FIELD: refusal('FEDERATION_FIELD', 400, 'That field is not part of the graph.'),
  FRAGMENT_CYCLE: refusal('FRAGMENT_CYCLE', 400, 'A fragment includes itself.'),
  HEADERS: refusal('HEADERS', 431, 'The request has too many headers.'),
  INTROSPECTION_DEPTH: refusal(
    'INTROSPECTION_DEPTH',
    400,
    'The introspection is nested too deeply.',
  ),
  INTROSPECTION_OFF: refusal('INTROSPECTION_OFF', 400, 'Introspection is not open to you.'),
  MUTATION_OVER_GET: refusal('MUTATION_OVER_GET', 405, 'Mutations need POST.'),
  OPERATIONS: refusal('OPERATIONS', 400, 'The document holds too many operations.'),
  ORIGIN: refusal('ORIGIN', 403, 'This origin may not connect.'),
  RATE: refusal('RATE', 429, 'Too many requests; try again later.'),
  REPETITION: refusal('REPETITION', 400, 'The operation repeats the same fields too often.'),
  RESERVED_NAME: refusal('RESERVED_NAME', 400, 'The request uses a reserved name.'),
  ROOTS: refusal('ROOTS', 400, 'The operation asks for too many root fields.'),
  SELECTIONS: refusal('SELECTIONS', 400, 'The operation selects too much.'),
  SOCKETS: refusal('SOCKETS', 429, 'Too many open sockets; close one first.'),
  SOCKET_OPERATIONS: refusal('SOCKET_OPERATIONS', 429, 'Too many operations on this socket.'),
  TOKENS: refusal('TOKENS', 400, 'The document is too long.'),
  VARIABLES_DEPTH: refusal('VARIABLES_DEPTH', 400, 'The variables are nested too deeply.'),
  VARIABLES_SIZE: refusal('VARIABLES_SIZE', 400, 'The variables are too large.'),
} as const;

export type GuardName = keyof typeof refusals;

/** What else the front answers by itself. */
export const answers = {
  ANSWER_TOO_LARGE: refusal('ANSWER_TOO_LARGE', 500, 'The answer is too large; ask for less.'),
  BAD_REQUEST: refusal('BAD_REQUEST', 400, 'The request is not well formed.'),
  BODY_TIMEOUT: refusal('BODY_TIMEOUT', 408, 'The request body did not arrive in time.'),
  CREDENTIAL_IN_URL: refusal(
    'CREDENTIAL_IN_URL',
    400,
    'Send credentials in a header, not in the address.',
  ),
  DEADLINE_EXCEEDED: refusal('DEADLINE_EXCEEDED', 504, 'The operation took too long.'),
  METHOD_NOT_ALLOWED: refusal('METHOD_NOT_ALLOWED', 405, 'Use POST, or GET for a query.'),
  NOT_ACCEPTABLE: refusal('NOT_ACCEPTABLE', 406, 'None of the accepted media types can be served.'),
  NOT_FOUND: refusal('NOT_FOUND', 404, 'There is nothing here.'),
  OPERATION_UNKNOWN: refusal('OPERATION_UNKNOWN', 400, 'Name one operation of the document.'),
  PERSISTED_QUERY_MISMATCH: refusal(
    'PERSISTED_QUERY_MISMATCH',
    400,
    'The hash is not that of the query.',
  ),
  /** Clients look for exactly this message, then send the query along. */
  PERSISTED_QUERY_NOT_FOUND: refusal('PERSISTED_QUERY_NOT_FOUND', 400, 'PersistedQueryNotFound'),
  PARSE_FAILED: refusal('GRAPHQL_PARSE_FAILED', 400, 'The document is not GraphQL.'),
  STREAM_NEEDED: refusal(
    'STREAM_NEEDED',
    400,
    'Subscriptions need a WebSocket, an event stream or multipart.',
  ),
  TWO_CREDENTIALS: refusal('TWO_CREDENTIALS', 400, 'Send one credential.'),
  UNAUTHENTICATED: refusal('UNAUTHENTICATED', 401, 'A valid credential is needed.'),
  UNAVAILABLE: refusal('UNAVAILABLE', 503, 'The graph cannot answer right now; try again later.'),
  UNSUPPORTED_MEDIA_TYPE: refusal('UNSUPPORTED_MEDIA_TYPE', 415, 'Send application/json in UTF-8.'),
  VALIDATION_FAILED: refusal(
    'GRAPHQL_VALIDATION_FAILED',
    400,
    'The operation does not fit the graph.',
  ),
  VARIABLES_INVALID: refusal('VARIABLES_INVALID', 400, 'The variables do not fit the operation.'),
} as const;
