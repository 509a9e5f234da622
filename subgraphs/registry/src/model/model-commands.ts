import type { Viewer } from '@opea/kernel/auth';
import {
  type Decider,
  type EventStore,
  type Position,
  repository,
  type StreamId,
} from '@opea/kernel/events';
import type { Visibility } from '../visibility.ts';
import { type Model, type ModelCommand, type ModelEvent, modelDecider } from './model.ts';
import { modelEventOf } from './model-events.ts';

export interface ModelCommands {
  /** Decides, stores what happened, and waits until it can be read here. Throws what the decision throws, or NOT_YET_VISIBLE. */
  execute(
    command: ModelCommand,
    by: { readonly viewer: Viewer; readonly correlationId: string; readonly signal: AbortSignal },
  ): Promise<Position>;
}

/** A model's stream carries its name: two models of one name cannot both begin. */
export const streamOf = (tenant: string, model: string): StreamId => ({
  type: 'model',
  id: model,
  tenant,
});

export function modelCommands({
  store,
  visibility,
}: {
  readonly store: EventStore;
  readonly visibility: Visibility;
}): ModelCommands {
  const models = repository(checked, store);
  return {
    async execute(command, { viewer, correlationId, signal }) {
      const stream = streamOf(viewer.tenant, command.model);
      const meta = { correlationId, causationId: correlationId, actor: viewer.id };
      const { position } = await models.execute(stream, command, meta);
      await visibility.waitFor(position, signal);
      return position;
    },
  };
}

/** The decider, whose events are held to their contracts before they are stored for good. */
const checked: Decider<Model | undefined, ModelCommand, ModelEvent> = {
  ...modelDecider,
  decide: (model, command) => modelDecider.decide(model, command).map(modelEventOf),
};
