import { event } from '../event-framing.ts';
import { modelChoice } from '../model-name.ts';
import type { ProtocolCall } from '../protocol.ts';
import { readRequest } from '../read-request.ts';
import { samplingInput } from '../sampling.ts';
import { openTokens, type TokenEvent } from '../token-stream.ts';
import { finishReasonOf, headOf, secondsOf, usageOf } from './answer.ts';
import { completionLogprobs } from './logprobs.ts';
import { completionPrompt } from './prompt.ts';
import { type CompletionRequest, completionShape } from './shapes.ts';

/** `POST /v1/completions`: continues a text. */
export async function completions(call: ProtocolCall): Promise<void> {
  const request = await readRequest(call, completionShape);
  const tokens = await openTokens(call, 'openai', completionInput(request));
  if (request.stream === true) await streamed(call, request, tokens);
  else await whole(call, request, tokens);
}

/** A completion request as `GenerateInput`. */
export function completionInput(request: CompletionRequest) {
  return {
    ...modelChoice(request.model),
    prompt: completionPrompt(request.prompt),
    ...samplingInput(request, request.max_tokens),
  };
}

async function whole(
  call: ProtocolCall,
  request: CompletionRequest,
  tokens: AsyncIterable<TokenEvent>,
): Promise<void> {
  const created = secondsOf(call.clock());
  const seen: TokenEvent[] = [];
  await call.collect(tokens, (token) => seen.push(token));
  const last = seen.at(-1);
  if (last === undefined) return;
  call.send({
    body: {
      ...headOf(last, { object: 'text_completion', created, model: request.model }),
      choices: [
        {
          index: 0,
          text: seen.map(({ text }) => text).join(''),
          logprobs: request.logprobs === undefined ? null : completionLogprobs(seen, 0),
          finish_reason: finishReasonOf(last),
        },
      ],
      usage: usageOf(last.usage),
    },
  });
}

function streamed(
  call: ProtocolCall,
  request: CompletionRequest,
  tokens: AsyncIterable<TokenEvent>,
): Promise<void> {
  const answer = {
    object: 'text_completion',
    created: secondsOf(call.clock()),
    model: request.model,
  };
  const withUsage = request.stream_options?.include_usage === true;
  let offset = 0;
  return call.stream(tokens, {
    frame(token) {
      const finish = finishReasonOf(token);
      const head = { ...headOf(token, answer), ...(withUsage && { usage: null }) };
      const logprobs = request.logprobs === undefined ? null : completionLogprobs([token], offset);
      offset += token.text.length;
      const choice = { index: 0, text: token.text, logprobs, finish_reason: finish };
      const chunk = event({ ...head, choices: [choice] });
      if (finish === null || !withUsage) return chunk;
      return chunk + event({ ...head, choices: [], usage: usageOf(token.usage) });
    },
    done: 'data: [DONE]\n\n',
  });
}
