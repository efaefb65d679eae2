/** The host of a request: `uri-host [ ":" port ]`, checked and brought to the form that routes match. [RFC 9110 §7.2] */

// `reg-name` without percent-encoding, which nobody decodes alike, and without the comma, which joins lists.
const named = /^[A-Za-z0-9\-._~!$&'()*+;=]+(?::([0-9]{1,5}))?$/
const bracketed = /^\[[0-9A-Fa-f:.]{2,45}\](?::([0-9]{1,5}))?$/
const usual = /^[a-z0-9\-._]+$/

/** Whether it is a host with or without a port. Stricter than the grammar: never empty, no `%`, no `,`, no empty port. */
export function isAuthority(text: string): boolean {
  const match = (text.charCodeAt(0) === 0x5b ? bracketed : named).exec(text)
  return match !== null && (match[1] === undefined || Number(match[1]) <= 65535)
}

/** Lower case, without port, brackets, and one dot at its end; of a text that `isAuthority`. */
export function hostOf(authority: string): string {
  let host = authority
  if (host.charCodeAt(0) === 0x5b) host = host.slice(1, host.indexOf(']'))
  else {
    const colon = host.indexOf(':')
    if (colon !== -1) host = host.slice(0, colon)
    if (host.endsWith('.')) host = host.slice(0, -1)
  }
  return usual.test(host) ? host : host.toLowerCase()
}
