import { Readable } from 'node:stream';
import type { BusMessage } from '@opea/kernel/bus';
import { systemClock } from '@opea/kernel/clock';
import type { Envelope } from '@opea/kernel/events';
import { newId } from '@opea/kernel/ids';
import { type OnnxSignature, readOnnxSignature } from '@opea/kernel/onnx';
import { digestOf } from './model-files.ts';

/** The registry as a runtime sees it: its events on a bus, its files in an object store. */
export function fakeRegistry({ tenant = 'acme' } = {}) {
  const stored = new Map<string, Uint8Array>();
  const log: BusMessage[] = [];
  const readers = new Set<() => void>();
  let versions = 0;

  function emit(subject: string, data: unknown): void {
    const at = systemClock().toISOString();
    const id = newId();
    const envelope: Envelope = {
      id,
      subject,
      occurredAt: at,
      tenant,
      actor: 'tester',
      causationId: id,
      correlationId: id,
      data,
    };
    log.push({
      seq: log.length + 1,
      subject,
      id,
      data: envelope,
      headers: {},
      publishedAt: at,
      deliveries: 1,
    });
    for (const wake of readers) wake();
  }

  return {
    tenant,
    /** What the object store gives out: tests spoil it here. */
    stored,
    objects: {
      async get(digest: string) {
        const bytes = stored.get(digest);
        if (!bytes) throw new Error('no such object');
        return Readable.from([Buffer.from(bytes)]);
      },
    },
    bus: {
      async *read({
        after = 'start',
        signal,
      }: {
        after?: number | 'start' | 'end';
        signal: AbortSignal;
      }) {
        let next = typeof after === 'number' ? after : 0;
        while (!signal.aborted) {
          const message = log[next];
          if (message) {
            next += 1;
            yield message;
          } else
            await new Promise<void>((resolve) => {
              const done = () => {
                readers.delete(done);
                signal.removeEventListener('abort', done);
                resolve();
              };
              readers.add(done);
              signal.addEventListener('abort', done, { once: true });
            });
        }
      },
    },
    /** Publishes a tensor model; returns its version. */
    publish(
      model: string,
      bytes: Uint8Array,
      { inputs, outputs }: Pick<OnnxSignature, 'inputs' | 'outputs'> = readOnnxSignature(bytes),
    ) {
      const number = ++versions;
      const digest = digestOf(bytes);
      stored.set(digest, bytes);
      const version = { modelId: `id-of-${model}`, model, versionId: `${model}-${number}`, number };
      emit('registry.version-published.v1', {
        ...version,
        kind: 'TENSOR',
        files: [{ name: 'model.onnx', digest, size: bytes.byteLength }],
        signature: { inputs, outputs },
        features: [],
        parents: [],
      });
      return { ...version, digest };
    },
    promote(
      version: { modelId: string; model: string; versionId: string; number: number },
      alias = 'production',
    ) {
      const { modelId, model, versionId, number } = version;
      emit('registry.alias-moved.v1', {
        modelId,
        model,
        alias,
        versionId,
        number,
        previousVersionId: null,
      });
    },
    retire({
      modelId,
      model,
      versionId,
      number,
    }: {
      modelId: string;
      model: string;
      versionId: string;
      number: number;
    }) {
      emit('registry.version-retired.v1', { modelId, model, versionId, number });
    },
  };
}
