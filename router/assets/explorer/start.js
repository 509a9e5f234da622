/* global React, ReactDOM, GraphiQL, graphqlWs, graphqlSse */
// Events that carry a piece of text are also shown joined together, as the reader of a tale wants them.
const textOf = (answer) => {
  const root = Object.values(answer.data ?? {})[0];
  return typeof root?.text === 'string' ? root.text : undefined;
};

// Sockets end with a close event, refused operations with a list of errors.
const readable = (failure) => {
  if (Array.isArray(failure)) return { errors: failure };
  if (failure && typeof failure.code === 'number')
    return new Error(
      `The connection was closed: ${failure.reason || 'no reason'} (${failure.code})`,
    );
  return failure;
};

/**
 * What is about to run. The editor notices which operations it holds a moment after a tab was opened: whoever runs at once
 * would send the other tab's name, so the text itself is asked first.
 */
const operationOf = ({ query, operationName }, documentAST) => {
  const written = [...query.matchAll(/^(query|mutation|subscription)\b[ \t]*(\w+)?/gm)].map(
    ([, kind, name]) => ({ kind, name }),
  );
  const noticed = (documentAST?.definitions ?? [])
    .filter((it) => it.kind === 'OperationDefinition')
    .map((it) => ({ kind: it.operation, name: it.name?.value }));
  const operations = written.length > 0 ? written : noticed;
  return (
    operations.find(({ name }) => name === operationName) ?? operations[0] ?? { kind: 'query' }
  );
};

(() => {
  const settings = JSON.parse(document.getElementById('settings').textContent);
  const keyField = document.getElementById('key');
  const showButton = document.getElementById('show');
  const transportField = document.getElementById('transport');
  const state = document.getElementById('state');
  const text = document.getElementById('text');

  keyField.value = sessionStorage.getItem('opea:key') || settings.key || '';
  transportField.value = sessionStorage.getItem('opea:transport') || 'ws';
  showButton.addEventListener('click', () => {
    const hidden = keyField.type === 'password';
    keyField.type = hidden ? 'text' : 'password';
    showButton.textContent = hidden ? 'Hide' : 'Show';
    showButton.setAttribute('aria-pressed', String(hidden));
  });

  const url = `${location.origin}${settings.graphPath}`;
  const authorization = () =>
    keyField.value.trim() === '' ? {} : { authorization: `Bearer ${keyField.value.trim()}` };

  // A client holds connections open with the key they were opened with: a new key, a new client.
  let clients;
  const connect = () => {
    if (clients) clients.ws.dispose();
    clients = {
      ws: graphqlWs.createClient({
        url: url.replace(/^http/, 'ws'),
        lazy: true,
        retryAttempts: 3,
        connectionParams: authorization,
      }),
      sse: graphqlSse.createClient({ url, headers: authorization, retryAttempts: 3 }),
    };
  };
  connect();
  transportField.addEventListener('change', () => {
    sessionStorage.setItem('opea:transport', transportField.value);
  });

  const stream = (params) => ({
    subscribe(observer) {
      let events = 0;
      const started = performance.now();
      let story = '';
      let stopped = false;
      text.hidden = true;
      const tell = (what) => {
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        state.textContent = `${what}: ${events} events, ${seconds} s`;
      };
      tell('Streaming');
      const stop = clients[transportField.value].subscribe(params, {
        next(answer) {
          events += 1;
          tell('Streaming');
          const piece = textOf(answer);
          if (piece !== undefined) {
            story += piece;
            text.hidden = false;
            text.textContent = story;
            text.scrollTop = text.scrollHeight;
          }
          observer.next(answer);
        },
        error(failure) {
          tell('Ended with an error');
          observer.error(readable(failure));
        },
        complete() {
          if (stopped) return;
          tell('Complete');
          observer.complete();
        },
      });
      return {
        unsubscribe() {
          stopped = true;
          stop();
          tell('Stopped');
        },
      };
    },
  });

  const ask = async (params, headers) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...authorization(),
        ...headers,
      },
      body: JSON.stringify(params),
    });
    return response.json();
  };

  const fetcher = (params, { headers = {}, documentAST } = {}) => {
    const { kind, name } = operationOf(params, documentAST);
    const request = { ...params, operationName: name };
    if (kind === 'subscription') return stream(request);
    state.textContent = '';
    text.hidden = true;
    return ask(request, headers);
  };

  const root = ReactDOM.createRoot(document.getElementById('explorer'));
  const tabs = settings.examples.map(({ query, variables }) => ({
    query,
    variables: variables ? JSON.stringify(variables, null, 2) : '',
    headers: '',
  }));
  let generation = 0;
  const render = () => {
    generation += 1;
    root.render(
      React.createElement(GraphiQL, {
        // The schema depends on who asks: another key reads it again.
        key: generation,
        fetcher,
        defaultTabs: tabs,
        defaultEditorToolsVisibility: 'variables',
        isHeadersEditorEnabled: false,
        shouldPersistHeaders: false,
        inputValueDeprecation: true,
        schemaDescription: true,
      }),
    );
  };
  keyField.addEventListener('change', () => {
    sessionStorage.setItem('opea:key', keyField.value.trim());
    connect();
    render();
  });
  render();
})();
