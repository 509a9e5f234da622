/** Why a part of the answer is missing, in words that a client may read. */
export interface Failure {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/**
 * Stands in the joined data where a value is null because of an error. Whoever shapes the answer
 * turns it into an error at the path the client knows, as often as the client selected the value.
 */
export class FieldError {
  readonly failure: Failure;
  /** Where below this null the error happened (keys of the fetch), when null propagated up. */
  readonly below: readonly (string | number)[];

  constructor(failure: Failure, below: readonly (string | number)[] = []) {
    this.failure = failure;
    this.below = below;
  }
}
