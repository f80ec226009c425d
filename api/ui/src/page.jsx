import './workers.js';
import 'graphiql/style.css';
import './page.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

import { examples } from './examples.js';

const address = new URL('/graphql', window.location.href);
const socket = new URL(address);
socket.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';

// Sockets are closed with 1012 when the server restarts: try again, and for long.
const wsClient = createClient({ url: socket.href, lazy: true, retryAttempts: 60, shouldRetry: () => true });
const fetcher = createGraphiQLFetcher({ url: address.href, wsClient });

createRoot(document.getElementById('page')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={examples}
    defaultEditorToolsVisibility="variables"
    shouldPersistHeaders
  />,
);
