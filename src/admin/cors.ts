/** The CORS headers of the Admin API: open to every origin, since the key is what protects it. */
import type { Reply } from './reply.ts'

/** On every reply except that to a preflight. */
export const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
  'access-control-max-age': '3600',
}

/** The answer to any `OPTIONS`, before a key is asked for. */
export const preflight: Reply = {
  status: 200,
  body: undefined,
  headers: {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'POST, GET, PUT, OPTIONS, DELETE, PATCH',
    'access-control-max-age': '3600',
    'access-control-allow-headers': '*',
    'access-control-allow-credentials': 'true',
    'content-length': '0',
    'content-type': 'text/plain',
  },
}
