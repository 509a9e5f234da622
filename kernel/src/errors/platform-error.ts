/** One entry of an error catalogue: a stable code and the HTTP status that goes with it. */
export interface ErrorKind {
  readonly code: string;
  readonly status: number;
}

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error a caller is meant to see; everything else is masked at the edge. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(
    kind: ErrorKind,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.details = options.details ?? {};
  }
}

/** Declares one entry of a service's error catalogue. */
export function defineError<Details extends ErrorDetails>(
  code: string,
  status: number,
  message: (details: Details) => string,
) {
  const kind: ErrorKind = { code, status };
  return Object.assign(
    (details: Details, cause?: unknown) =>
      new PlatformError(kind, message(details), { details, cause }),
    { kind },
  );
}

/** Whether an unknown thrown value is the platform error with this code. */
export const hasCode = (error: unknown, code: string): error is PlatformError =>
  error instanceof PlatformError && error.kind.code === code;
