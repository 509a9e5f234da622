// The thread in which the embedded PostgreSQL runs. Plain JavaScript on purpose: it is loaded as it is, from source and from dist alike.
// It speaks PostgreSQL's wire protocol: bytes in, bytes out, in order.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

let turn = Promise.resolve();

try {
  const engine = await PGlite.create({ dataDir: workerData.dataDir, extensions: { vector } });
  parentPort.on('message', (message) => {
    turn = turn.then(() => (message === 'close' ? close(engine) : answer(engine, message)));
  });
  parentPort.postMessage({ kind: 'ready' });
} catch (error) {
  parentPort.postMessage({ kind: 'failed', message: String(error) });
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
