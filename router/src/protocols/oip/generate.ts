import { unavailable } from '@opea/kernel/errors';
import { z } from 'zod';
import { event } from '../event-framing.ts';
import type { ProtocolCall } from '../protocol.ts';
import { maybe, readRequest } from '../read-request.ts';
import { samplingInput, samplingShape } from '../sampling.ts';
import { openTokens, type TokenEvent } from '../token-stream.ts';
import { wantedModel } from './wanted-model.ts';

const settings = z.object({
  ...samplingShape,
  max_tokens: maybe(z.int().min(1).max(1_000_000)),
});

/** Triton's generate extension: settings stand in `parameters` or, as its LLM backends take them, beside the text. */
export const generateShape = settings.extend({
  id: maybe(z.string().max(200)),
  text_input: z.string(),
  parameters: maybe(settings),
});

/** `POST …/generate`: the whole text at once. */
export async function generate(call: ProtocolCall): Promise<void> {
  const { tokens, head } = await begin(call);
  const seen: TokenEvent[] = [];
  await call.collect(tokens, (token) => seen.push(token));
  const last = seen.at(-1);
  if (last === undefined) return;
  refuseFailed(last);
  call.send({
    body: { ...head(last), text_output: seen.map(({ text }) => text).join(''), ...endOf(last) },
  });
}

/** `POST …/generate_stream`: each token as an event, the last one with how it ended. */
export async function generateStream(call: ProtocolCall): Promise<void> {
  const { tokens, head } = await begin(call);
  await call.stream(tokens, {
    frame(token) {
      refuseFailed(token);
      return event({ ...head(token), text_output: token.text, ...endOf(token) });
    },
    done: '',
  });
}

async function begin(call: ProtocolCall) {
  const choice = wantedModel(call);
  const request = await readRequest(call, generateShape);
  const tokens = await openTokens(call, 'oip', { ...choice, ...generateInput(request) });
  const head = ({ generation, modelVersion }: TokenEvent) => ({
    ...(request.id !== undefined && { id: request.id }),
    model_name: choice.model,
    model_version: String(modelVersion.number ?? ''),
    generation_id: generation.id,
  });
  return { tokens, head };
}

/** A generate request as the fields of `GenerateInput` besides the model. */
export function generateInput({
  text_input,
  parameters,
  ...beside
}: z.output<typeof generateShape>) {
  const inner = parameters ?? beside;
  const chosen = {
    temperature: inner.temperature ?? beside.temperature,
    top_p: inner.top_p ?? beside.top_p,
    top_k: inner.top_k ?? beside.top_k,
    min_p: inner.min_p ?? beside.min_p,
    repetition_penalty: inner.repetition_penalty ?? beside.repetition_penalty,
    seed: inner.seed ?? beside.seed,
    stop: inner.stop ?? beside.stop,
  };
  return {
    prompt: text_input,
    ...samplingInput(chosen, inner.max_tokens ?? beside.max_tokens),
  };
}

const endOf = ({ finishReason, usage }: TokenEvent) =>
  finishReason === null
    ? {}
    : {
        finish_reason: finishReason.toLowerCase(),
        prompt_tokens: usage?.promptTokens ?? 0,
        completion_tokens: usage?.completionTokens ?? 0,
      };

function refuseFailed({ finishReason }: TokenEvent): void {
  if (finishReason === 'ERROR') throw unavailable({ retryAfterMs: 1_000 });
}
