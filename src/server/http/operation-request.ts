/** The parameters of GraphQL over HTTP, as a body or as an address holds them, or a sentence on what is wrong with them. */
import { isUtf8 } from 'node:buffer'
import type { OperationRequest } from '../graphql/engine.ts'

export function readBodyParameters(body: Buffer): OperationRequest | string {
  const parameters = isUtf8(body) ? parseJson(body.toString('utf8')) : undefined
  if (parameters === undefined) return 'The body must be JSON in UTF-8.'
  if (!isRecord(parameters)) return 'The body must be a JSON object with "query"; submitJobs takes many jobs at once.'
  return readParameters(parameters)
}

/** `?query=...&variables={...}&operationName=...` */
export function readAddressParameters(url: string): OperationRequest | string {
  const given = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  return readParameters({
    query: given.get('query'),
    operationName: given.get('operationName'),
    variables: jsonOrText(given.get('variables')),
    extensions: jsonOrText(given.get('extensions')),
  })
}

function readParameters(parameters: Readonly<Record<string, unknown>>): OperationRequest | string {
  const { query, operationName = null, variables = null, extensions = null } = parameters
  if (typeof query !== 'string') return '"query" must be a string.'
  if (operationName !== null && typeof operationName !== 'string') return '"operationName" must be a string.'
  if (variables !== null && !isRecord(variables)) return '"variables" must be an object.'
  if (extensions !== null && !isRecord(extensions)) return '"extensions" must be an object.'
  return { query, operationName, variables: variables ?? {} }
}

/** What is no JSON stays a text, which is refused like any value of the wrong type. */
function jsonOrText(text: string | null): unknown {
  if (text === null) return null
  const value = parseJson(text)
  return value === undefined ? text : value
}

/** Undefined when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
