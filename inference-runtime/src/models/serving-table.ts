import type { ModelRef } from '@opea/schema/runtime';
import type { Alias, Catalogue, CataloguedVersion } from './catalogue.ts';

/**
 * Which version an alias is served by. It follows the catalogue only once the new version can serve: until then, and when
 * that never comes, the old one answers. A request is bound to a version when it arrives, so no batch mixes versions.
 */
export class ServingTable {
  readonly #catalogue: Catalogue;
  readonly #serving = new Map<string, string>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** The version that answers a reference now. */
  resolve(ref: ModelRef): CataloguedVersion | undefined {
    if (ref.version !== undefined) return this.#catalogue.resolve(ref);
    const modelId = this.#catalogue.modelId(ref.tenant, ref.model);
    if (modelId === undefined) return undefined;
    const alias = { tenant: ref.tenant, modelId, alias: ref.alias ?? 'production' };
    const serving = this.#serving.get(keyOf(alias));
    const current = serving === undefined ? undefined : this.#catalogue.version(serving);
    return current ?? this.#catalogue.resolve(ref);
  }

  /** From now on the alias is answered by this version. */
  switchTo(alias: Alias, versionId: string): void {
    this.#serving.set(keyOf(alias), versionId);
  }

  serves(versionId: string): boolean {
    return [...this.#serving.values()].includes(versionId);
  }
}

function keyOf({ tenant, modelId, alias }: Alias): string {
  return JSON.stringify([tenant, modelId, alias]);
}
