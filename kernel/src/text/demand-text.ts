import { badUserInput } from '../errors/index.ts';

/** Whether a database can keep the text: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean =>
  !text.includes('\u0000') && Buffer.from(text, 'utf8').toString('utf8') === text;

/** Free text of a caller. `max` counts characters (UTF-16). Throws BAD_USER_INPUT naming the field. */
export function demandText(
  text: string,
  { field, min = 0, max }: { readonly field: string; readonly min?: number; readonly max: number },
): void {
  if (text.trim().length < min || text.length > max)
    throw badUserInput({ field, reason: `${field} must have ${min} to ${max} characters.` });
  if (!isStorable(text)) throw unstorable(field);
}

/** A caller's JSON, all of its keys and texts; `max` counts the characters of its text. Throws BAD_USER_INPUT naming the field. */
export function demandJsonText(
  value: unknown,
  { field, max }: { readonly field: string; readonly max: number },
): void {
  const text = JSON.stringify(value ?? null, (key, part: unknown) => {
    if (!isStorable(key) || (typeof part === 'string' && !isStorable(part)))
      throw unstorable(field);
    return part;
  });
  if (text.length > max)
    throw badUserInput({ field, reason: `${field} may have ${max} characters of JSON.` });
}

const unstorable = (field: string) =>
  badUserInput({ field, reason: `${field} holds a character that cannot be stored.` });
