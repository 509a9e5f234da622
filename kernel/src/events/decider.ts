export interface Fact<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** The domain as three pure functions: what is, what happened, what may happen next. */
export interface Decider<State, Command, Event extends Fact> {
  readonly initial: State;
  evolve(state: State, event: Event): State;
  decide(state: State, command: Command): readonly Event[];
}

/** Marks a branch the type checker has proved empty. */
export function unreachable(value: never): never {
  throw new Error(`Unhandled case: ${JSON.stringify(value)}`);
}
