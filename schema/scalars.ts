/** Scalars beyond GraphQL's own. Input is checked here; inside, a DateTime is milliseconds since the epoch. */
import { GraphQLError, Kind, valueFromASTUntyped } from 'graphql'
import { shortestFloat32 } from '../src/app/tensors/shortest-float32.ts'
import type { Millis } from '../src/scheduler/ids.ts'
import { builder } from './builder.ts'

/** Deeper values would overflow the stack of whatever walks them later. */
const jsonDepthMax = 200

builder.scalarType('DateTime', {
  description: 'A moment in UTC, RFC 3339 with milliseconds: 2026-11-23T09:30:00.000Z. Input may carry another offset.',
  coerceOutputValue: (value) => new Date(value).toISOString(),
  coerceInputValue: readDateTime,
  coerceInputLiteral: (node) => readDateTime(node.kind === Kind.STRING ? node.value : undefined),
})

builder.scalarType('ByteCount', {
  description: 'Bytes: a JSON number from 0 to 2^53-1.',
  coerceOutputValue: (value) => safeInteger('ByteCount', 0, value),
  coerceInputValue: (value) => safeInteger('ByteCount', 0, value),
  coerceInputLiteral: (node) => safeInteger('ByteCount', 0, node.kind === Kind.INT ? Number(node.value) : undefined),
})

builder.scalarType('SafeInt', {
  description: 'A whole number that a JSON number carries exactly: up to 2^53-1 either way.',
  coerceOutputValue: (value) => safeInteger('SafeInt', Number.MIN_SAFE_INTEGER, value),
  coerceInputValue: (value) => safeInteger('SafeInt', Number.MIN_SAFE_INTEGER, value),
  coerceInputLiteral: (node) =>
    safeInteger('SafeInt', Number.MIN_SAFE_INTEGER, node.kind === Kind.INT ? Number(node.value) : undefined),
})

builder.scalarType('URL', {
  description: 'An absolute address, as RFC 3986 has it.',
  coerceOutputValue: (value) => value,
  coerceInputValue: readUrl,
  coerceInputLiteral: (node) => readUrl(node.kind === Kind.STRING ? node.value : undefined),
})

builder.scalarType('Vector', {
  description: 'A JSON array of float32 numbers, each in the fewest digits that give it back exactly.',
  coerceOutputValue: (value) => shortestFloat32(value),
  coerceInputValue: () => {
    throw new GraphQLError('Vector is not an input.')
  },
})

builder.scalarType('JSON', {
  description: `Any JSON value, as it is. As input nested at most ${jsonDepthMax} deep.`,
  coerceOutputValue: (value) => value,
  coerceInputValue: readJson,
  coerceInputLiteral: (node) => readJson(valueFromASTUntyped(node)),
})

const dateTimeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function readDateTime(value: unknown): Millis {
  const millis = typeof value === 'string' && dateTimeFormat.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(millis)) throw new GraphQLError('DateTime must be a string such as "2026-11-23T09:30:00.000Z".')
  return millis
}

function readUrl(value: unknown): string {
  if (typeof value === 'string' && URL.canParse(value)) return value
  throw new GraphQLError('URL must be an absolute address such as "https://studio.example/done".')
}

function safeInteger(scalar: string, minimum: number, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum) return value
  throw new GraphQLError(`${scalar} must be a whole number from ${minimum} to ${Number.MAX_SAFE_INTEGER}.`)
}

function readJson(value: unknown): unknown {
  if (nestedDeeperThan(jsonDepthMax, value)) throw new GraphQLError(`JSON may be nested at most ${jsonDepthMax} deep.`)
  return value
}

function nestedDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => nestedDeeperThan(levels - 1, inner))
}
