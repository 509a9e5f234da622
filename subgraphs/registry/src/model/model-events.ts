import type { Fact, PublicFact } from '@opea/kernel/events';
import {
  aliasMoved,
  modelRegistered,
  modelUpdated,
  versionPublished,
  versionRetired,
} from '@opea/schema/events';
import type { ModelEvent } from './model.ts';

/** The bus's name of each of a model's events. */
export const subjects: Readonly<Record<ModelEvent['type'], string>> = {
  ModelRegistered: modelRegistered.subject,
  ModelUpdated: modelUpdated.subject,
  VersionPublished: versionPublished.subject,
  AliasMoved: aliasMoved.subject,
  VersionRetired: versionRetired.subject,
};

/** A stored fact as an event of a model. Throws when it is none: the store then holds what this code never wrote. */
export function modelEventOf({ type, data }: Fact): ModelEvent {
  switch (type) {
    case 'ModelRegistered':
      return { type, data: modelRegistered.schema.shape.data.parse(data) };
    case 'ModelUpdated':
      return { type, data: modelUpdated.schema.shape.data.parse(data) };
    case 'VersionPublished':
      return { type, data: versionPublished.schema.shape.data.parse(data) };
    case 'AliasMoved':
      return { type, data: aliasMoved.schema.shape.data.parse(data) };
    case 'VersionRetired':
      return { type, data: versionRetired.schema.shape.data.parse(data) };
    default:
      throw new Error(`${type} is no event of a model`);
  }
}

/** What everyone hears of a stored event: the same facts under the contract's name. */
export function publicFact(stored: Fact): PublicFact {
  const { type, data } = modelEventOf(stored);
  return { subject: subjects[type], data };
}
