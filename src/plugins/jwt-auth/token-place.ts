/** Where a request carries its token: a field, else the query, else a cookie. What a token says is not known here. */
import type { HttpExchange } from '#sdk'

export interface TokenPlaces {
  /** In lower case. */
  readonly header: string
  readonly query: string
  readonly cookie: string
}

export interface FoundToken {
  readonly text: string
  readonly place: keyof TokenPlaces
}

/** The first that is not empty; a field may name the scheme before the token. [RFC 6750 §2.1] */
export function findToken(exchange: HttpExchange, { header, query, cookie }: TokenPlaces): FoundToken | undefined {
  const field = exchange.request.headers.get(header)
  if (field !== undefined && field !== '') {
    return { text: field.replace(/^bearer /i, '').trim(), place: 'header' }
  }
  const argument = exchange.variable(`arg_${query}`)
  if (argument !== undefined && argument !== '') return { text: argument, place: 'query' }
  const pair = exchange.variable(`cookie_${cookie}`)
  return pair === undefined || pair === '' ? undefined : { text: pair, place: 'cookie' }
}

/** Takes the token out of where it was found: the endpoint does not see it. */
export function hideToken({ request }: HttpExchange, places: TokenPlaces, place: keyof TokenPlaces): void {
  if (place === 'header') return request.headers.delete(places.header)
  if (place === 'query') {
    request.query = without(request.query, '&', places.query)
    return
  }
  const rest = without(request.headers.all('cookie').join('; '), ';', places.cookie).trim()
  if (rest === '') request.headers.delete('cookie')
  else request.headers.set('Cookie', rest)
}

function without(text: string, separator: string, name: string): string {
  const isOther = (pair: string): boolean => pair.trim() !== name && !pair.trimStart().startsWith(`${name}=`)
  return text.split(separator).filter(isOther).join(separator)
}
