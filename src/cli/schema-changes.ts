/**
 * What of the public schema has changed since it was last released. Part of `npm run check`: a change that breaks a client fails, unless it is
 * accepted by name in schema/accepted-changes.json, with its reason; an entry there that no longer applies fails too.
 */
import { findSchemaChanges, type GraphQLSchema, isInputObjectType } from 'graphql'

export interface SchemaChanges {
  readonly breaking: readonly string[]
  /** Breaks only a client that was not written to expect more: a new member of a union, a new value of an enum. */
  readonly dangerous: readonly string[]
  readonly safeCount: number
}

export interface AcceptedChange {
  /** The description of the change, word for word. */
  readonly change: string
  readonly reason: string
}

export function schemaChanges(released: GraphQLSchema, current: GraphQLSchema): SchemaChanges {
  const changes = findSchemaChanges(released, current)
  const ofKind = (kinds: ReadonlySet<string>) =>
    changes.filter(({ type }) => kinds.has(type)).map(({ description }) => description)
  return {
    breaking: [...ofKind(breakingKinds), ...becameOneOf(released, current)],
    dangerous: ofKind(dangerousKinds),
    safeCount: changes.filter(({ type }) => !breakingKinds.has(type) && !dangerousKinds.has(type)).length,
  }
}

/** Sentences on what has to be mended before this schema can be released; none = it can. */
export function problemsOf({ breaking }: SchemaChanges, accepted: readonly AcceptedChange[]): string[] {
  const isAccepted = new Set(accepted.map(({ change }) => change))
  const unwanted = breaking
    .filter((change) => !isAccepted.has(change))
    .map((change) => `This breaks clients: ${change}`)
  const idle = accepted
    .filter(({ change }) => !breaking.includes(change))
    .map(({ change }) => `Accepted, but not so: ${change}`)
  const unfounded = accepted.filter(({ reason }) => !reason).map(({ change }) => `Accepted without a reason: ${change}`)
  return [...unwanted, ...idle, ...unfounded]
}

const breakingKinds: ReadonlySet<string> = new Set([
  'TYPE_REMOVED',
  'TYPE_CHANGED_KIND',
  'TYPE_REMOVED_FROM_UNION',
  'VALUE_REMOVED_FROM_ENUM',
  'REQUIRED_INPUT_FIELD_ADDED',
  'IMPLEMENTED_INTERFACE_REMOVED',
  'FIELD_REMOVED',
  'FIELD_CHANGED_KIND',
  'REQUIRED_ARG_ADDED',
  'ARG_REMOVED',
  'ARG_CHANGED_KIND',
  'DIRECTIVE_REMOVED',
  'DIRECTIVE_ARG_REMOVED',
  'REQUIRED_DIRECTIVE_ARG_ADDED',
  'DIRECTIVE_REPEATABLE_REMOVED',
  'DIRECTIVE_LOCATION_REMOVED',
])

const dangerousKinds: ReadonlySet<string> = new Set([
  'VALUE_ADDED_TO_ENUM',
  'TYPE_ADDED_TO_UNION',
  'IMPLEMENTED_INTERFACE_ADDED',
  'ARG_DEFAULT_VALUE_CHANGE',
  'INPUT_FIELD_DEFAULT_VALUE_CHANGE',
])

/** graphql does not look at @oneOf: an input that gains it refuses what it took before. */
function becameOneOf(released: GraphQLSchema, current: GraphQLSchema): string[] {
  return Object.values(released.getTypeMap()).flatMap((type) => {
    const now = current.getType(type.name)
    const isNew = isInputObjectType(type) && isInputObjectType(now) && now.isOneOf && !type.isOneOf
    return isNew ? [`Input ${type.name} became @oneOf.`] : []
  })
}
