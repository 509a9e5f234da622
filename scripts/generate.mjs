// npm run generate [-- --check]: writes (or only compares) every generated file of the repository.
import { inherit, tool } from './steps.mjs';

process.exitCode = await inherit(
  tool('tsx', '--conditions=source', 'schema/scripts/generate.ts', ...process.argv.slice(2)),
);
