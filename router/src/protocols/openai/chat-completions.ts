import { event } from '../event-framing.ts';
import { modelChoice } from '../model-name.ts';
import type { ProtocolCall } from '../protocol.ts';
import { readRequest } from '../read-request.ts';
import { samplingInput } from '../sampling.ts';
import { openTokens, type TokenEvent } from '../token-stream.ts';
import { finishReasonOf, headOf, secondsOf, usageOf } from './answer.ts';
import { chatLogprobs } from './logprobs.ts';
import { chatPrompt } from './prompt.ts';
import { type ChatRequest, chatShape } from './shapes.ts';

/** Most stop strings of a generation. */
const mostStops = 4;

/** `POST /v1/chat/completions`: continues a conversation, by the template of `chatPrompt`. */
export async function chatCompletions(call: ProtocolCall): Promise<void> {
  const request = await readRequest(call, chatShape);
  const tokens = await openTokens(call, 'openai', chatInput(request));
  if (request.stream === true) await streamed(call, request, tokens);
  else await whole(call, request, tokens);
}

/** A chat request as `GenerateInput`. */
export function chatInput(request: ChatRequest) {
  const prompt = chatPrompt(request.messages);
  const sampling = samplingInput(request, request.max_completion_tokens ?? request.max_tokens);
  return {
    ...modelChoice(request.model),
    prompt: prompt.text,
    ...sampling,
    stop: [...sampling.stop, ...prompt.stop].slice(0, mostStops),
  };
}

async function whole(
  call: ProtocolCall,
  request: ChatRequest,
  tokens: AsyncIterable<TokenEvent>,
): Promise<void> {
  const created = secondsOf(call.clock());
  const seen: TokenEvent[] = [];
  await call.collect(tokens, (token) => seen.push(token));
  const last = seen.at(-1);
  if (last === undefined) return;
  const text = seen.map((token) => token.text).join('');
  call.send({
    body: {
      ...headOf(last, { object: 'chat.completion', created, model: request.model }),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text.trimStart(), refusal: null },
          logprobs: request.logprobs === true ? chatLogprobs(seen) : null,
          finish_reason: finishReasonOf(last),
        },
      ],
      usage: usageOf(last.usage),
    },
  });
}

function streamed(
  call: ProtocolCall,
  request: ChatRequest,
  tokens: AsyncIterable<TokenEvent>,
): Promise<void> {
  const answer = {
    object: 'chat.completion.chunk',
    created: secondsOf(call.clock()),
    model: request.model,
  };
  const withUsage = request.stream_options?.include_usage === true;
  let isFirst = true;
  let isBlank = true;
  return call.stream(tokens, {
    frame(token) {
      const finish = finishReasonOf(token);
      const head = { ...headOf(token, answer), ...(withUsage && { usage: null }) };
      // The space between the prompt and its continuation is not part of the message.
      const text = isBlank ? token.text.trimStart() : token.text;
      isBlank &&= text === '';
      const delta = {
        ...(isFirst && { role: 'assistant' }),
        ...((isFirst || finish === null) && { content: text }),
      };
      isFirst = false;
      const logprobs = request.logprobs === true && finish === null ? chatLogprobs([token]) : null;
      const chunk = event({
        ...head,
        choices: [{ index: 0, delta, logprobs, finish_reason: finish }],
      });
      if (finish === null || !withUsage) return chunk;
      return chunk + event({ ...head, choices: [], usage: usageOf(token.usage) });
    },
    done: 'data: [DONE]\n\n',
  });
}
