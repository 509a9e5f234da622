import { PlatformError } from '@opea/kernel/errors';
import type { RouteParams } from '@opea/kernel/http';
import { answers } from '../errors.ts';
import type { Admitted } from '../front/admission.ts';
import type { Exchange } from '../front/exchange.ts';
import { follow } from '../front/follow.ts';
import { openHttpStream } from '../front/http-stream.ts';
import type { OperationCall } from '../front/operations.ts';
import { readBytes } from '../front/read-params.ts';
import type { GraphAnswer } from '../graph.ts';
import { violationsOfVariables } from '../guards/variables.ts';
import type { Caller } from '../identity/caller.ts';
import { begun } from './begun.ts';
import { eventFraming } from './event-framing.ts';
import { graphFailure } from './graph-failure.ts';
import type { GraphAsk, Protocol, ProtocolCall } from './protocol.ts';
import type { ProtocolFrontOptions } from './protocol-front.ts';
import { sendReply } from './send-reply.ts';

/** What is known of a request when it ends, however far it came. */
export interface CallRecord {
  admitted: Admitted | undefined;
  answers: number;
}

export interface ProtocolCallOptions extends ProtocolFrontOptions {
  readonly protocol: Protocol;
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly params: RouteParams;
  readonly record: CallRecord;
}

/** The graph as one request may use it. */
export function protocolCall(options: ProtocolCallOptions): ProtocolCall {
  const { protocol, exchange, caller, params, record } = options;
  const { policy, admit, operations, timeoutMs, answerBytes } = options;
  const { life, correlationId } = exchange;

  const admitted = async <Data>({
    document,
    variables,
  }: GraphAsk<Data>): Promise<OperationCall> => {
    const admission = await admit({
      params: { query: document, operationName: undefined, variables, extensions: {} },
      caller,
      // Variables are not what arrived: their size is counted, not taken from the body.
      bytes: Number.POSITIVE_INFINITY,
      method: 'POST',
    });
    record.admitted = admission;
    return { admitted: admission, caller, correlationId, life };
  };

  return {
    exchange,
    params,
    clock: options.clock,
    body: () => readBytes(exchange, policy),
    demandShape(value) {
      policy.demand(violationsOfVariables({ value }, policy.limits, 0));
    },
    async ask(asked) {
      return dataOf(asked, await operations.execute(await admitted(asked)));
    },
    async open(asked) {
      const source = await operations.subscribe(await admitted(asked));
      return begun(source, life.signal, (answer) => dataOf(asked, answer));
    },
    async collect(source, take) {
      const timer = setTimeout(() => life.abort(answers.DEADLINE_EXCEEDED()), timeoutMs);
      try {
        await follow(source, life.signal, async (item) => take(item));
      } finally {
        clearTimeout(timer);
      }
      if (life.signal.reason instanceof PlatformError) throw life.signal.reason;
    },
    send(reply) {
      const text = reply.body instanceof Uint8Array ? reply.body : JSON.stringify(reply.body);
      if (text.length > answerBytes) throw answers.ANSWER_TOO_LARGE();
      record.answers = 1;
      sendReply(exchange, reply);
    },
    async stream(source, { frame, done }) {
      const framing = eventFraming(protocol);
      using open = openHttpStream(exchange, framing, { ...options, caller });
      await follow(source, open.life.signal, (item) => {
        record.answers += 1;
        const text = frame(item);
        return text === '' ? Promise.resolve() : open.write(text);
      });
      open.end(done);
    },
  };
}

function dataOf<Data>({ data }: GraphAsk<Data>, answer: GraphAnswer): Data {
  const error = answer.errors?.[0];
  if (error !== undefined) throw graphFailure(error);
  return data.parse(answer.data);
}
