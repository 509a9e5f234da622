import { badUserInput } from '@opea/kernel/errors';
import { demandJsonText, demandText } from '@opea/kernel/text';

const namePattern = /^[a-z][a-z0-9._-]{1,63}$/;
const fileNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const maxFiles = 32;

/** Names of models and aliases. Throws BAD_USER_INPUT naming the field. */
export function demandName(field: string, name: string): void {
  if (namePattern.test(name)) return;
  const reason = `${field} must have 2 to 64 characters: lower-case letters, digits, '-', '_', '.'; and begin with a letter.`;
  throw badUserInput({ field, reason });
}

export const demandDescription = (description: string): void =>
  demandText(description, { field: 'description', max: 10_000 });

/** A principal's id. Whether there is such a principal, auth alone knows. */
export const demandOwner = (ownerId: string): void =>
  demandText(ownerId, { field: 'ownerId', min: 1, max: 200 });

/** A version's files: plain names, each once, and `model.onnx` among them. */
export function demandFiles(files: readonly { readonly name: string }[]): void {
  const names = files.map(({ name }) => name);
  if (files.length > maxFiles) throw badFiles(`A version may have at most ${maxFiles} files.`);
  if (!names.every((name) => fileNamePattern.test(name)))
    throw badFiles("File names have letters, digits, '.', '_', '-', and no folder.");
  if (new Set(names).size < names.length) throw badFiles('Each file name may come once.');
  if (!names.includes('model.onnx')) throw badFiles('One file must be named model.onnx.');
}

const badFiles = (reason: string) => badUserInput({ field: 'files', reason });

/** What a version says of where it came from: bounded, and fit for the event's contract. */
export function demandOrigin({ features, parents, lineage }: Origin): void {
  if (features.length > maxReferences || parents.length > maxReferences)
    throw badUserInput({ reason: `A version may name ${maxReferences} features and parents.` });
  for (const { name, version } of features) {
    demandText(name, { field: 'features', min: 1, max: 200 });
    if (version < 1) throw badUserInput({ field: 'features', reason: 'Versions begin with 1.' });
  }
  demandJsonText(lineage, { field: 'lineage', max: 65_536 });
}

interface Origin {
  readonly features: readonly { readonly name: string; readonly version: number }[];
  readonly parents: readonly string[];
  readonly lineage?: unknown;
}

const maxReferences = 100;
