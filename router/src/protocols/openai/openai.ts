import type { Protocol } from '../protocol.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { listModels, retrieveModel } from './models.ts';
import { openAiRefusal } from './refusal.ts';

/** The OpenAI API, as far as the graph has what it asks for. */
export const openai = (): Protocol => ({
  name: 'openai',
  prefix: '/v1',
  routes: {
    'GET /v1/models': { handle: listModels },
    'GET /v1/models/:model': { handle: retrieveModel },
    'POST /v1/completions': { handle: completions },
    'POST /v1/chat/completions': { handle: chatCompletions },
    'POST /v1/embeddings': { handle: embeddings },
  },
  refusal: openAiRefusal,
});
