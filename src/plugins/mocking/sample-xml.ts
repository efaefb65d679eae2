/** JSON written as XML: members are elements, lists repeat theirs. */
import type { Json, JsonObject } from '#sdk'

/** An element `name` with a line for each value in `value`. */
export function toXml(value: JsonObject, name: string): string {
  return elementOf(name, value, '').join('\n')
}

function elementOf(name: string, value: Json, indent: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => elementOf(name, item, indent))
  const tag = tagOf(name)
  if (value === null || typeof value !== 'object') return [`${indent}<${tag}>${escaped(String(value))}</${tag}>`]
  const inner = Object.entries(value).flatMap(([member, each]) => elementOf(member, each, `${indent}  `))
  return [`${indent}<${tag}>`, ...inner, `${indent}</${tag}>`]
}

/** A name that XML takes: any other character becomes an underscore. */
function tagOf(name: string): string {
  const tag = name.replaceAll(/[^\p{L}\p{N}_.-]/gu, '_')
  return /^[\p{L}_]/u.test(tag) ? tag : `_${tag}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => entities[character] as string)
}
