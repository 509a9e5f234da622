// What both planner processes share: the supergraph comes first, then one operation at a time; each is answered with a plan as JSON.

export function servePlans(open) {
  let plan;
  process.on('message', (message) => {
    if (plan === undefined) {
      try {
        plan = open(message.supergraphSdl);
        process.send('ready');
      } catch (error) {
        process.send({ failed: String(error?.message ?? error) });
        process.disconnect();
      }
      return;
    }
    try {
      process.send({ plan: plan(message.operation) });
    } catch (error) {
      process.send({ error: String(error?.message ?? error) });
    }
  });
  process.on('disconnect', () => process.exit());
  // The terminal's Ctrl-C is for the router, which stops its planners itself.
  process.on('SIGINT', () => {});
}
