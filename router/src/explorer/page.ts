import type { Example } from './examples.ts';

export interface PageSettings {
  readonly key?: string;
  readonly graphPath: string;
  readonly examples: readonly Example[];
}

/** The explorer's page. Settings travel as data: nothing in them can become markup or script. */
export const explorerPage = (settings: PageSettings): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>opea-graph explorer</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/explorer/graphiql.css">
    <link rel="stylesheet" href="/explorer/page.css">
  </head>
  <body>
    <header>
      <h1>opea-graph</h1>
      <label class="key">API key <input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="opea_…"></label>
      <button id="show" type="button" aria-pressed="false">Show</button>
      <label>Streams over <select id="transport"><option value="ws">WebSocket</option><option value="sse">Event stream</option></select></label>
      <output id="state" aria-live="polite"></output>
    </header>
    <output id="text" hidden></output>
    <main id="explorer">Loading the explorer…</main>
    <script type="application/json" id="settings">${dataText(settings)}</script>
    <script src="/explorer/react.js"></script>
    <script src="/explorer/react-dom.js"></script>
    <script src="/explorer/graphiql.js"></script>
    <script src="/explorer/graphql-ws.js"></script>
    <script src="/explorer/graphql-sse.js"></script>
    <script src="/explorer/start.js"></script>
  </body>
</html>
`;

const dataText = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
