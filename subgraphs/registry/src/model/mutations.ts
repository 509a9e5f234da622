import { notFound } from '@opea/kernel/errors';
import { policy } from '@opea/schema/policy';
import { versionNotFound } from '../errors.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { newModelId, newVersionId } from './ids.ts';
import { lineageOf } from './lineage.ts';
import { pointedAt } from './model-types.ts';
import { present } from './present.ts';

/** Payloads show the registry as it is now. */
const now = undefined;

export const mutations: MutationResolvers = {
  async registerModel(_root, { input }, context) {
    const { viewer, commands, reader } = context;
    const { name: model, description } = input;
    policy.demand(viewer, 'model:register', viewer);
    const modelId = newModelId();
    const command = {
      type: 'RegisterModel',
      model,
      modelId,
      ownerId: viewer.id,
      description,
    } as const;
    const position = await commands.execute(command, context);
    return { model: present(await reader.modelNamed({ name: model, asOf: now })), position };
  },

  async updateModel(_root, { input }, context) {
    const { viewer, commands, reader } = context;
    const { modelId, description, ownerId } = input;
    const before = await reader.model({ id: modelId, asOf: now });
    policy.demand(viewer, 'model:update', { tenant: viewer.tenant, ownerId: before?.ownerId });
    if (!before) throw notFound({ kind: 'model' });
    const change = { description: description ?? undefined, ownerId: ownerId ?? undefined };
    const command = { type: 'UpdateModel', model: before.name, ...change } as const;
    const position = await commands.execute(command, context);
    return { model: present(await reader.model({ id: modelId, asOf: now })), position };
  },

  async publishVersion(_root, { input }, context) {
    const { viewer, commands, publications, reader, signal } = context;
    const { model, files, description, features, parents, lineage } = input;
    policy.demand(viewer, 'model:publish', viewer);
    const examined = await publications.examine({ tenant: viewer.tenant, files, parents, signal });
    const versionId = newVersionId();
    const said = {
      description,
      features: [...features],
      parents: [...parents],
      ...lineageOf(lineage),
    };
    const command = { type: 'PublishVersion', model, versionId, ...examined, ...said } as const;
    const position = await commands.execute(command, context);
    return { modelVersion: present(await reader.version({ id: versionId, asOf: now })), position };
  },

  async promoteVersion(_root, { input }, context) {
    const { viewer, commands, reader } = context;
    const { model: name, number, alias } = input;
    policy.demand(viewer, 'model:promote', viewer);
    const before = await reader.modelNamed({ name, asOf: now });
    const previous = before
      ? await pointedAt(context, { modelId: before.id, name: alias, asOf: now })
      : null;
    const position = await commands.execute(
      { type: 'PromoteVersion', model: name, number, alias },
      context,
    );
    const model = present(await reader.modelNamed({ name, asOf: now }));
    const modelVersion = present(
      await reader.versionNumbered({ modelId: model.id, number, asOf: now }),
    );
    return { model, modelVersion, previous, position };
  },

  async retireVersion(_root, { input }, context) {
    const { viewer, commands, reader } = context;
    const { model: name, number } = input;
    policy.demand(viewer, 'model:retire', viewer);
    const position = await commands.execute(
      { type: 'RetireVersion', model: name, number },
      context,
    );
    const model = present(await reader.modelNamed({ name, asOf: now }));
    const modelVersion = await reader.versionNumbered({ modelId: model.id, number, asOf: now });
    if (!modelVersion) throw versionNotFound({ model: name, number });
    return { modelVersion, position };
  },
};
