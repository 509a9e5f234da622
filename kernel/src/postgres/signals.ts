/** Wake-ups by topic inside one process. They carry nothing and may be missed: always poll slowly as well. */
export interface Signals {
  notify(topic: string): void;
  on(topic: string, listener: () => void): Disposable;
}

export function createSignals(): Signals {
  const topics = new Map<string, Set<() => void>>();
  return {
    notify(topic) {
      for (const listener of topics.get(topic) ?? []) listener();
    },
    on(topic, listener) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}
