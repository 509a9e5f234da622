/** One tab of the explorer. */
export interface Example {
  readonly title: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What a newcomer can run, in the order in which it makes sense. Each fits the graph and its guards. */
export const examples: readonly Example[] = [
  {
    title: 'Who am I',
    query: `# The principal behind your key, and what it may do.
query WhoAmI {
  me {
    name
    kind
    roles
  }
  tenant {
    name
  }
}
`,
  },
  {
    title: 'Models',
    query: `# Every model of the workspace, with the version that answers and its state.
query Models {
  models(first: 10) {
    edges {
      node {
        name
        description
        owner {
          name
        }
        alias(name: "production") {
          number
          kind
          serving {
            state
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Stream a tale',
    query: `# Tokens arrive as they are computed; each knows the version that wrote it.
subscription Tale($input: GenerateInput!) {
  generate(input: $input) {
    index
    text
    finishReason
    modelVersion {
      number
      model {
        name
      }
    }
    usage {
      promptTokens
      completionTokens
    }
  }
}
`,
    variables: {
      input: { model: 'storyteller', prompt: 'Once upon a time there was a', maxTokens: 80 },
    },
  },
  {
    title: 'Read a digit',
    query: `# A drawn seven, 28 by 28 pixels: the highest of the ten numbers says what the model reads.
mutation ReadDigit($input: PredictInput!) {
  predict(input: $input) {
    outputs {
      name
      shape
      data
    }
    timing {
      queueMs
      computeMs
    }
    batch {
      size
      reason
    }
    modelVersion {
      number
      model {
        name
      }
    }
  }
}
`,
    variables: {
      input: {
        model: 'digits',
        inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], base64: drawnSeven() }],
      },
    },
  },
  {
    title: 'Features',
    query: `# Feature views and which model versions were trained on them.
query FeatureViews {
  featureViews(first: 10) {
    edges {
      node {
        name
        version
        description
        entities
        fields {
          name
          type
        }
        usedBy {
          number
          model {
            name
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'How it is served',
    query: `# Requests, latency and batching of the last hour, by model version.
query Serving {
  serving(window: { last: "1h" }, first: 10) {
    edges {
      node {
        modelVersion {
          number
          model {
            name
          }
        }
        metrics {
          requests
          errorRate
          p50Ms
          p95Ms
          meanBatchSize
          batchEfficiency
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Watch the registry',
    query: `# Stays open: register, publish or promote a model elsewhere and see it here.
subscription Registry {
  registryEvents {
    type
    at
    cursor
    model {
      name
    }
    modelVersion {
      number
    }
  }
}
`,
  },
];

/** A seven, every mark two pixels wide and high, as little-endian float32 (0 is paper, 1 is ink). */
function drawnSeven(): string {
  const marks = [
    '..............',
    '..............',
    '..............',
    '...########...',
    '..........#...',
    '..........#...',
    '.........#....',
    '.........#....',
    '........#.....',
    '........#.....',
    '.......#......',
    '.......#......',
    '..............',
    '..............',
  ];
  const pixels = marks.flatMap((row) => {
    const line = row.split('').flatMap((mark) => (mark === '#' ? [1, 1] : [0, 0]));
    return [...line, ...line];
  });
  const bytes = Buffer.alloc(pixels.length * 4);
  for (const [at, value] of pixels.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString('base64');
}
