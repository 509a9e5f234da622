import { maskError } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';
import { answers } from '../errors.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { anonymous, type Caller } from '../identity/caller.ts';
import { credentialOf } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { type AnswerForm, acceptedForms } from './accept.ts';
import type { Admit, Admitted } from './admission.ts';
import { answerText } from './answer.ts';
import { type Exchange, sendDocument, sendRefusal } from './exchange.ts';
import { follow } from './follow.ts';
import { type AnswerFraming, eventStream, multipart } from './framings.ts';
import { openHttpStream } from './http-stream.ts';
import type { Operations } from './operations.ts';
import { readParams } from './read-params.ts';
import type { Sessions } from './sessions.ts';
import type { SingleConnections } from './single-connection.ts';
import type { Traffic, Transport } from './traffic.ts';

export interface HttpFrontOptions {
  readonly identity: Identity;
  readonly policy: GuardPolicy;
  readonly admit: Admit;
  readonly operations: Operations;
  readonly sessions: Sessions;
  readonly singles: SingleConnections;
  readonly traffic: Traffic;
  readonly logger: Logger;
  /** Longest answer in bytes. */
  readonly answerBytes: number;
  readonly stallMs: number;
}

/** What is known of an operation when it ends, however far it came. */
interface Progress {
  form: AnswerForm;
  transport: Transport;
  caller: Caller;
  admitted: Admitted | undefined;
  answers: number;
}

/** Serves one request at the graph's path. Never rejects. */
export type HttpFront = (exchange: Exchange) => Promise<void>;

/** GraphQL over HTTP: one answer as JSON, or a stream of them as events or parts. */
export function httpFront(options: HttpFrontOptions): HttpFront {
  const { identity, policy, admit, operations, traffic, logger } = options;

  return async (exchange) => {
    const { request } = exchange;
    const progress: Progress = {
      form: 'json',
      transport: 'http',
      caller: anonymous,
      admitted: undefined,
      answers: 0,
    };
    let status = 200;
    let code: string | undefined;
    try {
      const forms = acceptedForms(request.headers.accept);
      progress.form = forms[0] ?? 'json';
      if (request.rawHeaders.length / 2 > policy.limits.headers) policy.demand(['HEADERS']);
      progress.caller = await identity.identify(credentialOf(request));
      if (forms.length === 0) throw answers.NOT_ACCEPTABLE();
      if (await options.singles.handle(exchange, progress.caller)) return;
      code = await serve(exchange, forms, progress);
    } catch (error) {
      const shown = maskError(error, logger);
      code = shown.kind.code;
      status = sendRefusal(exchange, documentForm(progress.form), shown);
    }
    const { admitted } = progress;
    traffic.operation({
      ...progress,
      type: admitted?.operation.operation ?? 'unknown',
      operation: admitted?.operationName,
      document: admitted?.known.hash,
      status,
      code,
      startedAt: exchange.startedAt,
    });
  };

  async function serve(
    exchange: Exchange,
    forms: readonly AnswerForm[],
    progress: Progress,
  ): Promise<string | undefined> {
    const read = await readParams(exchange, policy);
    const admitted = await admit({ ...read, caller: progress.caller });
    progress.admitted = admitted;
    const streams = forms.find((form) => form === 'event-stream' || form === 'multipart');
    const { isSubscription } = admitted;
    if (isSubscription && streams === undefined) throw answers.STREAM_NEEDED();
    // A client that lists JSON beside a stream wants the stream for subscriptions only.
    const single = forms.find((form) => form === 'graphql-response' || form === 'json');
    if (isSubscription || single === undefined) {
      const framing = streams === 'multipart' ? multipart : eventStream;
      progress.transport = framing.transport;
      if (options.sessions.isFull(progress.caller)) policy.demand(['SOCKETS']);
      return stream(exchange, framing, progress, admitted);
    }
    progress.form = single;
    return answerOnce(exchange, progress, admitted);
  }

  async function answerOnce(
    exchange: Exchange,
    progress: Progress,
    admitted: Admitted,
  ): Promise<string | undefined> {
    const answer = await operations.execute({
      admitted,
      caller: progress.caller,
      correlationId: exchange.correlationId,
      life: exchange.life,
    });
    const text = answerText(answer);
    if (text.length > options.answerBytes) throw answers.ANSWER_TOO_LARGE();
    progress.answers = 1;
    // Without data the graph refused the request itself (GraphQL over HTTP, 6.4.2).
    const status = answer.data === undefined && progress.form !== 'json' ? 400 : 200;
    sendDocument(exchange, { status, form: documentForm(progress.form), text });
    return codeOf(answer.errors?.[0]?.extensions);
  }

  async function stream(
    exchange: Exchange,
    framing: AnswerFraming,
    progress: Progress,
    admitted: Admitted,
  ): Promise<string | undefined> {
    const { caller } = progress;
    const { correlationId } = exchange;
    using open = openHttpStream(exchange, framing, { ...options, caller });
    const call = { admitted, caller, correlationId, life: open.life };
    try {
      if (!admitted.isSubscription) {
        await open.write(framing.next(await operations.execute(call)));
        progress.answers = 1;
      } else
        await follow(await operations.subscribe(call), open.life.signal, (answer) => {
          progress.answers += 1;
          return open.write(framing.next(answer));
        });
      open.end(framing.complete);
      return undefined;
    } catch (error) {
      const shown = maskError(error, logger);
      open.end(framing.failure(shown));
      return shown.kind.code;
    }
  }
}

const documentForm = (form: AnswerForm): AnswerForm =>
  form === 'json' ? 'json' : 'graphql-response';

function codeOf(extensions: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const code = extensions?.['code'];
  return extensions === undefined ? undefined : typeof code === 'string' ? code : 'UNKNOWN';
}
