/**
 * The page that stands for a status without a body, as nginx writes it: scripts look for its title. Which status it is,
 * and who sends it, is decided elsewhere.
 */

const titles: ReadonlyMap<number, string> = new Map([
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Authorization Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Not Allowed'],
  [408, 'Request Time-out'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Request Entity Too Large'],
  [414, 'Request-URI Too Large'],
  [415, 'Unsupported Media Type'],
  [416, 'Requested Range Not Satisfiable'],
  [421, 'Misdirected Request'],
  [429, 'Too Many Requests'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Temporarily Unavailable'],
  [504, 'Gateway Time-out'],
  [505, 'HTTP Version Not Supported'],
  [507, 'Insufficient Storage'],
])

const pages = new Map<number, Uint8Array>()
const nothing = new Uint8Array(0)

/** HTML in UTF-8, to be read and not changed; empty for statuses that have no page. */
export function statusPage(status: number): Uint8Array {
  const known = pages.get(status)
  if (known !== undefined) return known
  const title = titles.get(status)
  if (title === undefined) return nothing
  const page = Buffer.from(
    [
      '<html>',
      `<head><title>${status} ${title}</title></head>`,
      '<body>',
      `<center><h1>${status} ${title}</h1></center>`,
      '</body>',
      '</html>',
      '',
    ].join('\r\n'),
  )
  pages.set(status, page)
  return page
}
