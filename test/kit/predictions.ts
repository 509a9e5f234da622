import type { GraphClient } from '@opea/cli/client';
import { type DigitSample, imageInput } from '@opea/cli/platform';

export interface Predicted {
  readonly id: string;
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
  readonly batch: { readonly size: number; readonly executionId: string };
}

/** Asks the classifier about one image. */
export async function predictDigit(
  client: GraphClient,
  sample: DigitSample,
  features: readonly string[] = [],
): Promise<Predicted> {
  const { predict } = await client.ask<{ predict: Predicted }>(
    /* GraphQL */ `
      mutation Predict($input: PredictInput!) {
        predict(input: $input) {
          id
          outputs { name data }
          batch { size executionId }
        }
      }
    `,
    { input: { model: 'digits', inputs: [imageInput(sample)], features } },
  );
  return predict;
}
