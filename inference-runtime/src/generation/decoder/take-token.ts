import { executionFailed, nonFiniteOutput } from '../../errors.ts';
import { createTokenSampler } from '../sampling/token-sampler.ts';
import type { DecoderLayout } from './decoder-layout.ts';
import type { DecodeOutcome, DecoderEvent } from './decoder-messages.ts';
import type { DecoderRun } from './decoder-model.ts';
import type { Sequence } from './sequence.ts';

export interface TakenToken {
  /** Undefined when no token could be chosen. */
  readonly event: DecoderEvent | undefined;
  /** Why the sequence is over; undefined when it goes on. */
  readonly end: DecodeOutcome['reason'] | Error | undefined;
}

/** Chooses a sequence's next token from row `row` of a run, and notes it in the sequence. */
export type TakeToken = (sequence: Sequence, run: DecoderRun, row: number) => TakenToken;

export function createTokenTaker({ vocab, eos, context }: DecoderLayout): TakeToken {
  const sampler = createTokenSampler(vocab);
  const ends = new Set(eos);

  /** A token can be fed only while its position is inside the context. */
  const isFull = ({ request, prompt, completionTokens }: Sequence) =>
    completionTokens >= request.maxTokens || prompt.length + completionTokens > context;

  return (sequence, run, row) => {
    const { request, text, seen, constraint } = sequence;
    const sampled = sampler.sample({
      scores: {
        logits: run.logits.subarray(row * vocab, (row + 1) * vocab),
        logprobs: run.logprobs.subarray(row * vocab, (row + 1) * vocab),
        likeliest: run.likeliest(row),
      },
      parameters: request.parameters,
      seen,
      index: sequence.completionTokens,
      allowed: constraint?.allowed(),
    });
    if (sampled === undefined) {
      sequence.spoilt = true;
      return { event: undefined, end: whyNone(sequence) };
    }

    const { tokenId, logprob } = sampled;
    sequence.lastToken = tokenId;
    if (request.parameters.repetitionPenalty !== 1) seen.add(tokenId);
    const index = sequence.completionTokens++;
    const ended = ends.has(tokenId);
    const goesOn = constraint?.accept(tokenId) ?? true;
    const step = ended ? { text: '', stopped: false } : text.push(tokenId);
    const full = isFull(sequence) ? 'LENGTH' : undefined;
    const end = ended || step.stopped || !goesOn ? 'STOP' : full;
    const rest = end === undefined || step.stopped ? '' : text.flush();
    return {
      event: { type: 'token', id: request.id, index, tokenId, logprob, text: step.text + rest },
      end,
    };
  };
}

function whyNone({ constraint }: Sequence): Error {
  const cornered = constraint?.allowed().includes(1) === false;
  return cornered
    ? executionFailed({ model: 'decoder', reason: 'no token of its vocabulary fits the schema' })
    : nonFiniteOutput({ model: 'decoder' });
}
