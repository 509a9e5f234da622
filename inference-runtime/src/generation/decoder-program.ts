import { readFile } from 'node:fs/promises';
import type { StartProgram } from '../engines/program.ts';
import { isBatchInvariant } from './decoder/batch-invariance.ts';
import { readDecoderLayout } from './decoder/decoder-layout.ts';
import type { DecodeRequest, DecoderInfo, DecoderInit } from './decoder/decoder-messages.ts';
import { openDecoderModel } from './decoder/decoder-model.ts';
import { createStepLoop, reservedRows } from './decoder/step-loop.ts';
import { loadTextCodec } from './text/text-codec.ts';

/**
 * The decoder inside its worker. Methods: `generate` (DecodeRequest → DecodeOutcome), `cancel` (id), `pause` and `resume` (id);
 * every step emits a StepReport.
 */
export const startDecoderProgram: StartProgram<DecoderInit> = async (init, host) => {
  const [model, tokenizer] = await Promise.all([
    readFile(init.modelPath),
    readFile(init.tokenizerPath, 'utf8'),
  ]);
  const layout = readDecoderLayout(model);
  const limits = { ...init.limits, context: Math.min(init.limits.context, layout.context) };
  const decoder = await openDecoderModel({ model, layout, threads: host.threads });
  const loop = createStepLoop({
    model: decoder,
    codec: loadTextCodec(tokenizer),
    limits,
    report: (report) => host.emit(report),
    now: () => performance.now(),
  });
  const position = 2 * 4 * layout.layers * layout.kvHeads * layout.headDim;
  const info: DecoderInfo = {
    slots: limits.slots,
    context: limits.context,
    vocab: layout.vocab,
    kvBytes: position * reservedRows(limits) * limits.context,
    batchInvariant: await isBatchInvariant(decoder),
  };

  return {
    info,
    async call(method, payload) {
      switch (method) {
        case 'generate':
          return { value: await loop.generate(payload as DecodeRequest) };
        case 'cancel':
          loop.cancel(payload as number);
          return { value: undefined };
        case 'pause':
        case 'resume':
          loop.pause(payload as number, method === 'pause');
          return { value: undefined };
        default:
          throw new Error(`The decoder has no method ${method}`);
      }
    },
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]();
      await decoder[Symbol.asyncDispose]();
    },
  };
};
