const MINIMUM = [20, 19];

/** Exits with one sentence when this Node is too old to run anything here. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return;
  console.error(
    `opea-graph needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node}.`,
  );
  process.exit(1);
}
