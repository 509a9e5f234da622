import pc from 'picocolors';

/** Where a command writes. `json` commands write one JSON value and nothing else to `out`. */
export interface Terminal {
  readonly json: boolean;
  readonly interactive: boolean;
  readonly paint: Paint;
  /** Text as it is, without a line's end. */
  write(text: string): void;
  line(text?: string): void;
  /** For people, beside the result: progress, warnings, errors. */
  note(text: string): void;
  /** The result of a `--json` command. */
  result(value: unknown): void;
}

export type Paint = ReturnType<typeof pc.createColors>;

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export function terminal(options: {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly json: boolean;
  readonly color: boolean;
}): Terminal {
  const { stdout, stderr, json, color } = options;
  return {
    json,
    interactive: stdout.isTTY === true,
    paint: pc.createColors(color),
    write: (text) => void stdout.write(text),
    line: (text = '') => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    result: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
  };
}
