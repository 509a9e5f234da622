import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { StartProgram } from './program.ts';
import { hostPrograms } from './program-table.ts';
import type { ProgramName } from './worker-protocol.ts';
import { leave } from './worker-protocol.ts';

const niceness = 5;

/** Where an engine worker begins, as a thread or as a child process. */
const starts: Record<ProgramName, () => Promise<StartProgram<never>>> = {
  tensor: async () => (await import('./onnx/tensor-program.ts')).startTensorProgram,
  decoder: async () => (await import('../generation/decoder-program.ts')).startDecoderProgram,
};

// On Linux this lowers the calling thread and those it starts: when the cores are taken, the thread that answers
// requests goes first.
setPriority(0, Math.min(19, getPriority(0) + niceness));

if (parentPort === null) {
  const threads = Number(process.argv[2]);
  const table = hostPrograms({ starts, threads, post: (message) => void process.send?.(message) });
  process.on('message', table.receive);
  process.on('disconnect', () => process.exit(0));
} else {
  const port = parentPort;
  const { threads } = workerData as { readonly threads: number };
  const table = hostPrograms({
    starts,
    threads,
    post: (message, transfer) => port.postMessage(message, [...transfer]),
  });
  port.on('message', (message) => {
    if (message === leave) process.exit(0);
    table.receive(message);
  });
}
