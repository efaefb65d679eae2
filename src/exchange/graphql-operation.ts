/** What a GraphQL document asks for at its top: the kind, name and fields of its first operation. It validates no schema. */
import { GraphqlTokens } from './graphql-tokens.ts'

export interface GraphqlOperation {
  /** `query`, `mutation`, `subscription`. */
  readonly operation: string
  /** Empty: it has none. */
  readonly name: string
  /** Names of fields, not aliases; of a fragment that is named, its name. */
  readonly rootFields: readonly string[]
}

const kinds = new Set(['query', 'mutation', 'subscription'])

/** Undefined: it is no document with an operation. */
export function readGraphql(text: string): GraphqlOperation | undefined {
  try {
    return readDocument(new GraphqlTokens(text))
  } catch {
    return undefined
  }
}

/** All of it is gone through: a document that breaks off is none. */
function readDocument(tokens: GraphqlTokens): GraphqlOperation | undefined {
  let first: GraphqlOperation | undefined
  while (tokens.kind !== 'end') {
    if (tokens.takes('{')) {
      const rootFields = readFields(tokens)
      first ??= { operation: 'query', name: '', rootFields }
      continue
    }
    const kind = tokens.name()
    if (kind === 'fragment') {
      skipFragment(tokens)
      continue
    }
    if (!kinds.has(kind)) throw new Error(`${kind} is no operation`)
    const name = tokens.kind === 'name' ? tokens.name() : ''
    if (tokens.takes('(')) tokens.skipTo(')')
    skipDirectives(tokens)
    if (!tokens.takes('{')) throw new Error('an operation without fields')
    const rootFields = readFields(tokens)
    first ??= { operation: kind, name, rootFields }
  }
  return first
}

function skipFragment(tokens: GraphqlTokens): void {
  tokens.name()
  if (tokens.name() !== 'on') throw new Error('a fragment without a type')
  tokens.name()
  skipDirectives(tokens)
  if (!tokens.takes('{')) throw new Error('a fragment without fields')
  tokens.skipTo('}')
}

function skipDirectives(tokens: GraphqlTokens): void {
  while (tokens.takes('@')) {
    tokens.name()
    if (tokens.takes('(')) tokens.skipTo(')')
  }
}

/** Behind the opening brace, to behind the closing one. Those of fragments written in place count as its own. */
function readFields(tokens: GraphqlTokens): readonly string[] {
  const fields: string[] = []
  for (let depth = 1; depth > 0; ) {
    if (tokens.takes('}')) {
      depth -= 1
    } else if (tokens.takes('...')) {
      const spread = tokens.kind === 'name' ? tokens.name() : 'on'
      if (spread !== 'on') fields.push(spread)
      else if (tokens.kind === 'name') tokens.name()
      skipDirectives(tokens)
      if (spread === 'on') {
        if (!tokens.takes('{')) throw new Error('a fragment without fields')
        depth += 1
      }
    } else {
      fields.push(readField(tokens))
    }
  }
  if (fields.length === 0) throw new Error('no field')
  return fields
}

function readField(tokens: GraphqlTokens): string {
  let name = tokens.name()
  if (tokens.takes(':')) name = tokens.name()
  if (tokens.takes('(')) tokens.skipTo(')')
  skipDirectives(tokens)
  if (tokens.takes('{')) tokens.skipTo('}')
  return name
}
