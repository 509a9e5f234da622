/** What the shell learns. */
export const exitCode = {
  done: 0,
  /** The platform answered with an error. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Nobody answers at the address, or the credential is refused. */
  unreachable: 3,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** Ends a command with one sentence for people, and a code for programs. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly exitCode: number;
  /** The platform's code for it, such as `MODEL_NOT_FOUND`. */
  readonly code: string | undefined;

  constructor(
    message: string,
    options: { exitCode?: number; code?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? exitCode.failed;
    this.code = options.code;
  }
}
