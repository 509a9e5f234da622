import { z } from 'zod';
import type { ProtocolCall } from './protocol.ts';

/** A token, or the end of a generation, as the graph's subscription gives it. */
export interface TokenEvent {
  readonly text: string;
  readonly logprob: number | null;
  readonly finishReason: 'STOP' | 'LENGTH' | 'CANCELLED' | 'ERROR' | null;
  readonly usage: TokenCounts | null;
  readonly generation: { readonly id: string };
  readonly modelVersion: { readonly id: string; readonly number?: number | undefined };
}

export interface TokenCounts {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
}

const token = z.object({
  text: z.string(),
  logprob: z.number().nullable(),
  finishReason: z.enum(['STOP', 'LENGTH', 'CANCELLED', 'ERROR']).nullable(),
  usage: z
    .object({ promptTokens: z.int(), completionTokens: z.int(), totalTokens: z.int() })
    .nullable(),
  generation: z.object({ id: z.string() }),
  modelVersion: z.object({ id: z.string(), number: z.int().optional() }),
});

const data = z.object({ generate: token }).transform(({ generate }) => generate);

const documentOf = (name: string, ofVersion: string) => /* GraphQL */ `
  subscription ${name}($input: GenerateInput!) {
    generate(input: $input) {
      text logprob finishReason
      usage { promptTokens completionTokens totalTokens }
      generation { id }
      modelVersion { ${ofVersion} }
    }
  }
`;

const documents = {
  openai: documentOf('OpenAiGenerate', 'id'),
  // The number is the registry's: one join for the whole stream.
  oip: documentOf('OipGenerate', 'id number'),
};

/** Starts a generation; the first token, or the refusal, is here when this resolves. */
export function openTokens(
  call: ProtocolCall,
  protocol: keyof typeof documents,
  input: Readonly<Record<string, unknown>>,
): Promise<AsyncIterable<TokenEvent>> {
  return call.open({ document: documents[protocol], variables: { input }, data });
}
