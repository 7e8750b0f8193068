/** From text to a document that may run: parsed, within the limits, valid. The outcome is remembered, for every door. */
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  MaxIntrospectionDepthRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { badInput } from './bad-input.ts'
import { beyondLimits, type OperationLimits } from './operation-limits.ts'

export type CheckedDocument = { readonly document: DocumentNode; readonly errors: readonly GraphQLError[] }

/** A document takes up to a hundred times its text, so the texts together are bounded. */
const rememberedCharactersMax = 500_000
const rememberedDocumentsMax = 1000
/** Longer ones carry their data inline; they hardly come twice. */
const rememberedLengthMax = 20_000

const rules = [...specifiedRules, MaxIntrospectionDepthRule]

export class Documents {
  readonly #schema: GraphQLSchema
  readonly #limits: OperationLimits
  readonly #remembered = new LRUCache<string, CheckedDocument>({
    max: rememberedDocumentsMax,
    maxSize: rememberedCharactersMax,
    maxEntrySize: rememberedLengthMax,
    sizeCalculation: (_, query) => query.length + 1,
  })

  constructor(schema: GraphQLSchema, limits: OperationLimits) {
    this.#schema = schema
    this.#limits = limits
  }

  /** What is wrong with the text is in `errors`. */
  check(query: string): CheckedDocument {
    const known = this.#remembered.get(query)
    if (known) return known
    const checked = this.#checkAnew(query)
    this.#remembered.set(query, checked)
    return checked
  }

  #checkAnew(query: string): CheckedDocument {
    try {
      const document = parse(query, { maxTokens: this.#limits.tokenCountMax })
      // Before validation, whose cost grows with what the limits bound.
      const excess = beyondLimits(this.#limits, this.#schema, document)
      const errors = excess ? [excess] : validate(this.#schema, document, rules)
      return { document, errors: errors.map(badInput) }
    } catch (error) {
      return { document: unreadable, errors: [badInput(readingError(error))] }
    }
  }
}

const unreadable: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] }

function readingError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error
  // Parser and rules recurse: brackets in brackets end on the stack's limit before they meet ours.
  if (error instanceof RangeError) return new GraphQLError('This document is nested too deeply to be read.')
  throw error
}
