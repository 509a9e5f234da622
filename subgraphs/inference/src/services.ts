import type { InferenceRuntime } from '@opea/schema/runtime';
import type { Generations } from './generation/generations.ts';
import type { Journal } from './journal/journal.ts';
import type { Predictions } from './prediction/predictions.ts';

/** What the resolvers call. */
export interface Services {
  readonly runtime: InferenceRuntime;
  readonly journal: Journal;
  readonly predictions: Predictions;
  readonly generations: Generations;
}
