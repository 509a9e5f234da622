import { connect } from 'node:net';

/**
 * True when a loopback server answers: optionally `send` bytes, then `accept` must say yes to what came
 * back within 2 s. Never rejects.
 */
export function answers({ port, send, accept }) {
  return new Promise((done) => {
    const received = [];
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (result) => {
      socket.destroy();
      done(result);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => done(false));
    if (send !== undefined) socket.write(send);
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (accept(Buffer.concat(received))) finish(true);
    });
  });
}
