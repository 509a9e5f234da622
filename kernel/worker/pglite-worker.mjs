// The thread in which the embedded PostgreSQL runs. Plain JavaScript on purpose: it is loaded as it is, from source and from dist alike.
// It speaks PostgreSQL's wire protocol: bytes in, bytes out, in order.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { dropTemplate, keepTemplate, readTemplate } from './pglite-template.mjs';

const { dataDir, isNew } = workerData;
let turn = Promise.resolve();

try {
  const engine = isNew ? await startNew() : await start();
  parentPort.on('message', (message) => {
    turn = turn.then(() => (message === 'close' ? close(engine) : answer(engine, message)));
  });
  parentPort.postMessage({ kind: 'ready' });
} catch (error) {
  parentPort.postMessage({ kind: 'failed', message: String(error) });
}

/** Making a cluster costs seconds of processor time: the first one is kept as a template, and the next ones are copies of it. */
async function startNew() {
  const template = await readTemplate();
  if (template) {
    try {
      return await start({ loadDataDir: template });
    } catch (error) {
      await dropTemplate();
      if (dataDir !== 'memory://') throw error;
    }
  }
  const engine = await start();
  await keepTemplate(engine);
  return engine;
}

async function start(options = {}) {
  const engine = await PGlite.create({ dataDir, extensions: { vector }, ...options });
  await engine.exec('create extension if not exists vector with schema public');
  return engine;
}

async function answer(engine, bytes) {
  try {
    const reply = await engine.execProtocolRaw(bytes, { syncToFs: true });
    parentPort.postMessage({ kind: 'reply', bytes: reply });
  } catch (error) {
    parentPort.postMessage({ kind: 'failed', message: String(error) });
  }
}

async function close(engine) {
  await engine.close().catch(() => {});
  parentPort.postMessage({ kind: 'closed' });
  parentPort.close();
}
