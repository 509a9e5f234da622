// The process of the native planner. Plain JavaScript on purpose: it is loaded as it is, from source and from dist alike.
import { QueryPlanner } from '@graphql-hive/router-query-planner';
import { servePlans } from './serve-plans.mjs';

servePlans((supergraphSdl) => {
  const planner = new QueryPlanner(supergraphSdl);
  return (operation) => JSON.stringify(planner.plan(operation, undefined, new Set(), 0));
});
