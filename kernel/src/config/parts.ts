import { z } from 'zod';
import { Secret } from './secret.ts';

/** A value that must be set and never prints itself. */
export const secret = () =>
  z
    .string()
    .min(1)
    .transform((value) => new Secret(value));

/** A TCP port, 0 to 65535; 0 takes any free one. */
export const port = (fallback: number) =>
  z.coerce.number().int().min(0).max(65_535).default(fallback);

/** A positive whole number of milliseconds. */
export const millis = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** A size in bytes: a whole number, or one with a binary unit such as `256KiB`, `10MiB`, `2GiB`. */
export const bytes = (fallback: number) =>
  z
    .union([z.number(), z.string().regex(/^\d+(KiB|MiB|GiB)?$/, 'Expected bytes, such as 256KiB')])
    .transform(toBytes)
    .default(fallback);

/** `true`, `1`, `yes`, `on`, or their opposites. */
export const flag = (fallback: boolean) => z.stringbool().default(fallback);

/** An absolute URL, kept as text. */
export const url = (fallback?: string) =>
  fallback === undefined ? z.url() : z.url().default(fallback);

const units: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function toBytes(value: number | string): number {
  if (typeof value === 'number') return value;
  const amount = Number.parseInt(value, 10);
  return amount * (units[value.slice(String(amount).length)] ?? 1);
}
