import { aliasMoved, modelUpdated, versionPublished, versionRetired } from '@opea/schema/events';
import type { ModelRef, TensorSpec } from '@opea/schema/runtime';

/** A published version, as the registry's events tell of it. */
export interface CataloguedVersion {
  readonly versionId: string;
  readonly modelId: string;
  readonly tenant: string;
  readonly model: string;
  readonly number: number;
  readonly kind: 'TENSOR' | 'DECODER';
  readonly files: readonly {
    readonly name: string;
    readonly digest: string;
    readonly size: number;
  }[];
  readonly signature: {
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
  };
}

export type CatalogueChange =
  | { readonly type: 'published'; readonly version: CataloguedVersion }
  | { readonly type: 'alias-moved'; readonly alias: Alias; readonly versionId: string }
  | { readonly type: 'retired'; readonly versionId: string };

export interface Alias {
  readonly tenant: string;
  readonly modelId: string;
  readonly alias: string;
}

/** Which versions exist and what their aliases point at: a projection of the registry's events, idempotent by nature. */
export class Catalogue {
  readonly #versions = new Map<string, CataloguedVersion>();
  /** tenant and name → model id */
  readonly #models = new Map<string, string>();
  readonly #aliases = new Map<
    string,
    { readonly now: string; readonly before: string | undefined }
  >();

  /** Takes one event in; other events leave it as it is. Throws when an event breaks its contract. */
  apply(subject: string, message: unknown): CatalogueChange | undefined {
    switch (subject) {
      case versionPublished.subject:
        return this.#publish(versionPublished.parse(message));
      case aliasMoved.subject:
        return this.#moveAlias(aliasMoved.parse(message));
      case versionRetired.subject: {
        const { versionId } = versionRetired.parse(message).data;
        this.#versions.delete(versionId);
        return { type: 'retired', versionId };
      }
      case modelUpdated.subject: {
        const { tenant, data } = modelUpdated.parse(message);
        this.#models.set(keyOf(tenant, data.name), data.modelId);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  version(versionId: string): CataloguedVersion | undefined {
    return this.#versions.get(versionId);
  }

  versions(tenant?: string): readonly CataloguedVersion[] {
    const all = [...this.#versions.values()];
    return tenant === undefined ? all : all.filter((version) => version.tenant === tenant);
  }

  /** The model id behind a tenant's name for it; ids are accepted too. */
  modelId(tenant: string, model: string): string | undefined {
    const named = this.#models.get(keyOf(tenant, model));
    if (named !== undefined) return named;
    return this.versions(tenant).find(({ modelId }) => modelId === model)?.modelId;
  }

  /** The version a reference names, leaving alone whether it is loaded. */
  resolve({
    tenant,
    model,
    alias = 'production',
    version,
  }: ModelRef): CataloguedVersion | undefined {
    const modelId = this.modelId(tenant, model);
    if (modelId === undefined) return undefined;
    if (version !== undefined)
      return this.versions(tenant).find(
        (candidate) => candidate.modelId === modelId && candidate.number === version,
      );
    const versionId = this.target({ tenant, modelId, alias });
    return versionId === undefined ? undefined : this.#versions.get(versionId);
  }

  /** The id of the version that an alias points at. */
  target({ tenant, modelId, alias }: Alias): string | undefined {
    return this.#aliases.get(keyOf(tenant, modelId, alias))?.now;
  }

  /** The version that the alias of a reference pointed at before. */
  before({ tenant, model, alias = 'production' }: ModelRef): CataloguedVersion | undefined {
    const modelId = this.modelId(tenant, model) ?? model;
    const versionId = this.#aliases.get(keyOf(tenant, modelId, alias))?.before;
    return versionId === undefined ? undefined : this.#versions.get(versionId);
  }

  #publish({ tenant, data }: ReturnType<typeof versionPublished.parse>): CatalogueChange {
    const { versionId, modelId, model, number, kind, files, signature } = data;
    const version: CataloguedVersion = {
      versionId,
      modelId,
      tenant,
      model,
      number,
      kind,
      files,
      signature: {
        inputs: signature.inputs.map(typed),
        outputs: signature.outputs.map(typed),
      },
    };
    this.#versions.set(versionId, version);
    this.#models.set(keyOf(tenant, model), modelId);
    return { type: 'published', version };
  }

  #moveAlias({ tenant, data }: ReturnType<typeof aliasMoved.parse>): CatalogueChange {
    const { modelId, model, alias, versionId } = data;
    this.#models.set(keyOf(tenant, model), modelId);
    const key = keyOf(tenant, modelId, alias);
    const now = this.#aliases.get(key)?.now;
    if (now !== versionId) this.#aliases.set(key, { now: versionId, before: now });
    return { type: 'alias-moved', alias: { tenant, modelId, alias }, versionId };
  }
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

const datatypes = new Set<string>([
  'BOOL',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
]);

function typed(spec: {
  name: string;
  datatype: string;
  shape: readonly (number | string)[];
}): TensorSpec {
  if (!isDatatype(spec.datatype)) throw new Error(`Unknown datatype ${spec.datatype}`);
  return { name: spec.name, datatype: spec.datatype, shape: spec.shape };
}

function isDatatype(name: string): name is TensorSpec['datatype'] {
  return datatypes.has(name);
}
