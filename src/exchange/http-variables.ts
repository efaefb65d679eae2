/** The nginx variables of an HTTP exchange, computed only when somebody asks for one. */
import type { HttpSession } from './http-session.ts'

type Read = (session: HttpSession) => string | undefined

const readers: Readonly<Record<string, Read>> = {
  uri: (s) => s.request.path,
  request_uri: (s) => s.request.target,
  args: (s) => s.request.query || undefined,
  method: (s) => s.request.method,
  host: (s) => s.request.host || undefined,
  remote_addr: (s) => s.remoteAddress || undefined,
  scheme: (s) => s.request.scheme,
}
const known = new Map(Object.entries(readers))

/** The value of one variable for this session; undefined for unknown names and for names without a value here. */
export function httpVariable(session: HttpSession, name: string): string | undefined {
  const read = known.get(name)
  if (read !== undefined) return read(session)
  if (name.startsWith('http_')) return session.request.headers.joined(name.slice(5).replaceAll('_', '-'))
  return undefined
}
