/** `/configs` of API-driven standalone mode, and `/configs/validate` of every mode. */
import type { FastifyRequest } from 'fastify'
import { stringify as stringifyYaml } from 'yaml'
import type { ApiDrivenSource } from '../config/api-driven.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { createDocumentCheck, documentFaults } from './document-check.ts'
import { contentTypeOf } from './http-server.ts'
import { json, type Reply, refusal } from './reply.ts'
import { maxDocumentBytes, parseDocument, readBody } from './request-body.ts'

/** Says all that is wrong with a document; changes nothing. */
export async function validateConfigs(check: ResourceCheck, request: FastifyRequest): Promise<Reply> {
  const document = parseDocument(await readBody(request.raw), contentTypeOf(request))
  const errors = documentFaults(document, check)
  if (errors.length === 0) return json(200, {})
  return json(400, { error_msg: 'Configuration validation failed', errors })
}

export function getConfigs(source: ApiDrivenSource, request: FastifyRequest): Reply {
  const headers = versionHeaders(source)
  if (request.headers.accept?.startsWith('application/yaml') === true) {
    const body = stringifyYaml(source.document(), { aliasDuplicateObjects: false })
    return { status: 200, body, headers: { ...headers, 'content-type': 'application/yaml' } }
  }
  return { ...json(200, source.document()), headers }
}

export function headConfigs(source: ApiDrivenSource): Reply {
  return { status: 200, body: undefined, headers: versionHeaders(source) }
}

/** The same digest: 204 and nothing done. Accepted: 202, and the store has it already. */
export async function putConfigs(
  source: ApiDrivenSource,
  check: ResourceCheck,
  now: () => number,
  request: FastifyRequest,
): Promise<Reply> {
  const digest = request.headers['x-digest']
  if (typeof digest !== 'string' || digest === '') throw refusal(400, 'missing digest header')
  const text = await readBody(request.raw, maxDocumentBytes)
  const document = parseDocument(text, contentTypeOf(request))
  const result = source.replaceDocument(document, digest, now(), createDocumentCheck(check))
  if (result.outcome === 'refused') throw refusal(400, result.message)
  return { status: result.outcome === 'unchanged' ? 204 : 202, body: undefined, headers: versionHeaders(source) }
}

function versionHeaders(source: ApiDrivenSource): Readonly<Record<string, string>> {
  const { digest, lastModified } = source
  if (digest === undefined || lastModified === undefined) return {}
  return { 'x-last-modified': String(lastModified), 'x-digest': digest }
}
