import { QueryPlanner } from '@graphql-hive/router-query-planner';
import { generateSubgraphs } from './generate-subgraphs.ts';
import { shapes } from './shapes.ts';
import { compose } from './trial.ts';

const sdl = compose(
  generateSubgraphs(shapes.find((s) => s.name === process.argv[2])!, Number(process.argv[3])),
)!;
const qp = new QueryPlanner(sdl);
try {
  console.log(JSON.stringify(qp.plan(process.argv[4], undefined, new Set(), 0)));
} catch (e) {
  console.log('caught', (e as Error).message);
}
