import { setImmediate as turn } from 'node:timers/promises';
import { defineError } from '@opea/kernel/errors';
import type {
  GenerationEvent,
  InferenceRuntime,
  ModelRef,
  ServedVersion,
} from '@opea/schema/runtime';

const modelNotFound = defineError('MODEL_NOT_FOUND', 404, () => 'There is no such model.');

const echo: ServedVersion = {
  versionId: 'ver_echo',
  modelId: 'mdl_echo',
  model: 'echo',
  number: 1,
  kind: 'TENSOR',
  state: 'READY',
  signature: { inputs: [], outputs: [] },
};

/** What a fake runtime does next; tests change it as they go. */
export interface Script {
  /** Thrown by `predict`, or by `generate` once its words are said. */
  failure?: Error | undefined;
  /** Tokens of a generation. */
  words: readonly string[];
  /** Before the word of this index the runtime waits until it is released or cancelled. */
  pauseAt?: number;
}

/** The protocol alone: predictions echo their inputs, generations say the script's words. Every tenant has the one model `echo`. */
export function fakeRuntime(): InferenceRuntime & { readonly script: Script; release(): void } {
  const script: Script = { words: ['Once', ' upon', ' a', ' time'] };
  let release = () => {};

  function paused(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      release = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async function answering({ model }: ModelRef): Promise<ServedVersion> {
    if (model !== echo.model) throw modelNotFound({});
    return echo;
  }

  return {
    script,
    release: () => release(),
    resolve: answering,
    async predict(ref, inputs) {
      await answering(ref);
      if (script.failure) throw script.failure;
      const timing = { queueMs: 1, computeMs: 2, totalMs: 3 };
      const batch = { size: 4, reason: 'FULL' as const, executionId: 'exe_1' };
      return { version: echo, outputs: inputs, timing, batch };
    },
    async *generate(_ref, _settings, { signal }): AsyncIterable<GenerationEvent> {
      yield { type: 'started', version: echo, promptTokens: 2, queueMs: 1 };
      const said: string[] = [];
      for (const [index, text] of script.words.entries()) {
        if (index === script.pauseAt) await paused(signal);
        if (signal.aborted) break;
        await turn();
        said.push(text);
        yield { type: 'token', index, text, tokenId: index, logprob: -0.5 };
      }
      if (script.failure) throw script.failure;
      yield {
        type: 'finished',
        reason: signal.aborted ? 'CANCELLED' : 'STOP',
        text: said.join(''),
        usage: { promptTokens: 2, completionTokens: said.length },
        timing: { queueMs: 1, timeToFirstTokenMs: 2, totalMs: 3, tokensPerSecond: 4 },
        batch: { meanSize: 1 },
      };
    },
    models: async () => [echo],
    ready: async () => [],
    async [Symbol.asyncDispose]() {},
  };
}
