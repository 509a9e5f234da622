/** What crosses between the main process and an engine worker. */
export type ToWorker =
  | {
      readonly type: 'open';
      readonly program: number;
      readonly name: ProgramName;
      readonly init: unknown;
    }
  | {
      readonly type: 'call';
      readonly program: number;
      readonly call: number;
      readonly method: string;
      readonly payload: unknown;
    }
  | { readonly type: 'close'; readonly program: number; readonly call: number };

export type FromWorker =
  | { readonly type: 'started' }
  | { readonly type: 'opened'; readonly program: number; readonly info: unknown }
  | { readonly type: 'refused'; readonly program: number; readonly error: WireError }
  | { readonly type: 'returned'; readonly call: number; readonly value: unknown }
  | { readonly type: 'threw'; readonly call: number; readonly error: WireError }
  | { readonly type: 'emitted'; readonly program: number; readonly message: unknown };

/** The programs a worker can host. */
export type ProgramName = 'tensor' | 'decoder';

/** An error as data: classes do not survive the crossing. */
export interface WireError {
  readonly message: string;
  readonly code?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Asks a worker thread to end itself as soon as nothing runs in it. */
export const leave = 'leave';
