// npm run generate [-- --check]: writes (or only compares) every generated file of the repository.
import { inherit, tool } from './steps.mjs';

process.exitCode = 0;
for (const script of ['schema/scripts/generate.ts', 'router/scripts/document.ts']) {
  const code = await inherit(tool('tsx', '--conditions=source', script, ...process.argv.slice(2)));
  if (code !== 0) process.exitCode = code;
}
