// npm run test:services: the port contracts and end-to-end tests on real servers. Servers that the environment
// does not name are installed and started by scripts/services, and left running for the next time.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { findChromium } from './chromium.mjs';
import { installIfNeeded } from './install.mjs';
import { requireNode } from './node-version.mjs';
import { conclude, runVitest } from './run-vitest.mjs';
import { inherit, root, step, tool } from './steps.mjs';

const REQUIRED = [
  'POSTGRES_URL',
  'NATS_URL',
  'MONGODB_URL',
  'S3_URL',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'REDIS_URL',
].map((name) => `OPEA_TEST_${name}`);
const services = resolve(root, 'scripts/services');

requireNode();
const ready = (await installIfNeeded()) && (await step('Building what changed', tool('tsc', '-b')));
const env = await servers();
if (env === undefined) conclude([{ passed: 0, failed: 1 }]);
else {
  const chromium = await findChromium();
  const tests = await runVitest({
    projects: ['services'],
    extra: process.argv.slice(2),
    env: chromium === undefined ? env : { ...env, OPEA_TEST_CHROMIUM: chromium },
  });
  conclude([{ passed: 0, failed: ready ? 0 : 1 }, tests]);
}

async function servers() {
  if (REQUIRED.every((name) => process.env[name])) return {};
  if ((await inherit([services, 'up'])) !== 0) return undefined;
  const lines = execFileSync(services, ['env'], { encoding: 'utf8' }).trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => /^export (\w+)='(.*)'$/.exec(line)?.slice(1) ?? []),
  );
}
