/** Facts between services. At least once, in order, kept: what is published survives the process. */
export interface Bus extends AsyncDisposable {
  /** Durable when it resolves. A message whose id is known already is not kept twice: `duplicate`, with the first one's seq. */
  publish(messages: readonly NewMessage[]): Promise<readonly Published[]>;
  /**
   * A durable consumer: continues where it stopped, one message at a time, in order. A handler that throws sees the message again;
   * after `maxDeliver` deliveries it becomes a dead letter and the next message follows. Resolves when consuming has begun.
   * Disposing waits for the message in hand.
   */
  consume(options: ConsumeOptions): Promise<AsyncDisposable>;
  /** All messages after a seq, in order, without a gap, then live ones, until `signal` aborts (the iteration then ends). */
  read(options: ReadOptions): AsyncIterable<BusMessage>;
  /** The seq of the newest message; 0 when there is none. */
  lastSeq(): Promise<number>;
  deadLetters(options: {
    readonly durable: string;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]>;
  /** Hands a dead letter to its consumer again, with a fresh count of deliveries. Throws NOT_FOUND. */
  replayDeadLetter(id: string): Promise<void>;
}

export interface NewMessage {
  /** `<context>.<event>.v<N>` */
  readonly subject: string;
  /** Unique for the message: the event's id. */
  readonly id: string;
  /** JSON */
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Published {
  readonly seq: number;
  readonly duplicate: boolean;
}

export interface BusMessage {
  readonly seq: number;
  readonly subject: string;
  readonly id: string;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 3339, UTC. */
  readonly publishedAt: string;
  /** 1 for the first delivery. */
  readonly deliveries: number;
}

export interface ConsumeOptions {
  /** The name under which its progress is kept: letters, digits, `-` and `_`. */
  readonly durable: string;
  /** NATS patterns: `*` is one token, a last `>` one or more. */
  readonly subjects: readonly string[];
  readonly handle: (message: BusMessage, signal: AbortSignal) => Promise<void> | void;
  /** Default 5. */
  readonly maxDeliver?: number;
  /** How long a handler may take before it counts as failed; default 30,000 ms. */
  readonly ackWaitMs?: number;
  /** Where a consumer that never ran before begins; default 'start'. */
  readonly from?: 'start' | 'end';
}

export interface ReadOptions {
  readonly subjects: readonly string[];
  /** A seq, 'start' or 'end'; default 'end'. */
  readonly after?: number | 'start' | 'end';
  readonly signal: AbortSignal;
}

export interface DeadLetter {
  readonly id: string;
  readonly durable: string;
  readonly message: BusMessage;
  /** Why the last delivery failed. */
  readonly cause: string;
  readonly diedAt: string;
}
