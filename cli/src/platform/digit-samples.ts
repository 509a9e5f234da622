import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A handwritten digit that the classifier never saw in training. */
export interface DigitSample {
  /** `digit-0`, `digit-1`, … in the order of the file. */
  readonly id: string;
  readonly label: number;
  /** 28 × 28 values from 0 (paper) to 1 (ink), row by row. */
  readonly pixels: readonly number[];
}

const side = 28;
const cell = 4;

const file = z.object({
  samples: z.array(z.object({ label: z.int(), pixels: z.array(z.int()).length(side * side) })),
});

export async function readDigitSamples(modelsFolder: string): Promise<readonly DigitSample[]> {
  const text = await readFile(join(modelsFolder, 'digits', 'samples.json'), 'utf8');
  const { samples } = file.parse(JSON.parse(text));
  return samples.map(({ label, pixels }, index) => ({
    id: `digit-${index}`,
    label,
    pixels: pixels.map((pixel) => pixel / 255),
  }));
}

/** The mean of all pixels: how much ink there is. */
export function inkOf({ pixels }: DigitSample): number {
  const sum = pixels.reduce((total, pixel) => total + pixel, 0);
  return Number((sum / pixels.length).toFixed(4));
}

/** The image in 7 × 7 cells, each the mean of its pixels: small enough to compare, and still the digit's shape. */
export function sketchOf({ pixels }: DigitSample): readonly number[] {
  const cells = side / cell;
  return Array.from({ length: cells * cells }, (_unused, index) => {
    const top = Math.floor(index / cells) * cell;
    const left = (index % cells) * cell;
    let sum = 0;
    for (let row = top; row < top + cell; row += 1)
      for (let column = left; column < left + cell; column += 1)
        sum += pixels[row * side + column] ?? 0;
    return Number((sum / (cell * cell)).toFixed(4));
  });
}

/** As nested lists of the shape [1, 1, 28, 28], which the classifier takes. */
export const imageInput = ({ pixels }: DigitSample) => ({
  name: 'image',
  datatype: 'FP32',
  shape: [1, 1, side, side],
  data: pixels,
});
