import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { describeConfig } from '@opea/kernel/config';
import { z } from 'zod';
import { routerShape } from '../src/config.ts';
import { answers, refusals } from '../src/errors.ts';
import { processShape } from '../src/process-config.ts';

/** Writes the tables of docs/router.md from the code; `--check` only compares. */
const file = new URL('../../docs/router.md', import.meta.url);
const before = await readFile(file, 'utf8');
const after = [
  ['codes', codeTable()],
  ['behaviour', configTable(routerShape)],
  ['process', configTable(processShape)],
].reduce((text, [name = '', table = '']) => replaced(text, name, table), before);

if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write('docs/router.md is out of date: run `npm run generate`\n');
    process.exitCode = 1;
  }
} else await writeFile(file, after);

function codeTable(): string {
  const rows = [...Object.values(refusals), ...Object.values(answers)].map((refuse) => {
    const { kind, message } = refuse();
    return `| \`${kind.code}\` | ${kind.status} | ${message} |`;
  });
  return ['| code | status | sentence |', '|---|---|---|', ...rows.toSorted()].join('\n');
}

function configTable(shape: Parameters<typeof describeConfig>[0]): string {
  const rows = describeConfig(shape).map(
    ({ name, type, default: fallback, required, description }) =>
      `| \`${name}\` | ${type.replaceAll('|', '\\|')} | ${required ? 'required' : quoted(fallback ?? parsedDefault(shape, name))} | ${description} |`,
  );
  return ['| variable | type | default | |', '|---|---|---|---|', ...rows].join('\n');
}

function quoted(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** A default behind a transformation, written as one would write it. */
function parsedDefault(shape: Parameters<typeof describeConfig>[0], name: string): string {
  const parsed = z.safeParse(shape[name] ?? z.never(), undefined);
  if (!parsed.success) return '';
  if (Array.isArray(parsed.data)) return parsed.data.join(',');
  if (typeof parsed.data === 'boolean') return `${parsed.data}`;
  if (typeof parsed.data !== 'number') return '';
  const units = [['MiB', 1024 ** 2] as const, ['KiB', 1024] as const];
  const [unit, size] = units.find(([, bytes]) => Number(parsed.data) % bytes === 0) ?? ['', 1];
  return `${parsed.data / size}${unit}`;
}

function replaced(text: string, name: string, table: string): string {
  const start = `<!-- ${name}: written by router/scripts/document.ts -->`;
  const end = `<!-- end of ${name} -->`;
  const [head, rest] = text.split(start);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined) throw new Error(`docs/router.md lacks ${start}`);
  return `${head}${start}\n${table}\n${end}${tail}`;
}
