/** The parts of a `multipart/form-data` body by name. Files are values like others; their names and types are not told. */

export type FormFields = Record<string, string | string[]>

/** Parts beyond are not looked at. */
const maxParts = 1000
/** Of the fields of one part; parts with more are passed over. */
const maxHeadBytes = 16 * 1024
const headEnd = Buffer.from('\r\n\r\n')

/** Undefined: the type names no boundary. A body that breaks off has the parts that came whole. [RFC 7578 §4] */
export function readFormData(bytes: Uint8Array, contentType: string): FormFields | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType) ?? []
  const boundary = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
  if (boundary === undefined || boundary === '') return undefined
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  const next = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const fields = Object.create(null) as FormFields
  let at = body.indexOf(mark)
  for (let count = 0; at !== -1 && count < maxParts; count += 1) {
    const from = at + mark.length
    // Two hyphens end the last part.
    if (body[from] === 0x2d && body[from + 1] === 0x2d) break
    const end = body.indexOf(next, from)
    if (end === -1) break
    takePart(body, from, end, fields)
    at = end + 2
  }
  return fields
}

/** From behind the boundary to before the next one: the rest of its line, fields, an empty line, the value. */
function takePart(body: Buffer, from: number, end: number, fields: FormFields): void {
  const value = body.indexOf(headEnd, from)
  if (value === -1 || value > end || value - from > maxHeadBytes) return
  const head = body.toString('utf8', from, value)
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const [, quoted, plain] = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(disposition) ?? []
  const name = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
  if (name !== undefined) addField(fields, name, body.toString('utf8', value + headEnd.length, end))
}

/** A name that comes again makes a list. */
export function addField(fields: FormFields, name: string, value: string): void {
  const known = fields[name]
  if (known === undefined) fields[name] = value
  else if (Array.isArray(known)) known.push(value)
  else fields[name] = [known, value]
}
