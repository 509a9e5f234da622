// The explorer is tested in a real browser: Debian's chromium, installed by root when it is missing.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { step } from './steps.mjs';

/** Path of a Chromium that can be run headless; undefined, with a sentence printed, when there is none. */
export async function findChromium() {
  const chosen = process.env['OPEA_TEST_CHROMIUM'];
  if (chosen) return chosen;
  const found = inPath();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    await step('Installing chromium from Debian', [
      'sh',
      '-c',
      'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium',
    ]);
  }
  const installed = inPath();
  if (installed === undefined)
    console.error('No chromium: install it, or name one in OPEA_TEST_CHROMIUM.');
  return installed;
}

function inPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isProgram);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
