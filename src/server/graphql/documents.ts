/** From text to a document that may run: parsed, within the limits, valid. The outcome is remembered, for every door. */
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
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

  /** Never throws: what is wrong with the text is in `errors`. */
  check(query: string): CheckedDocument {
    const known = this.#remembered.get(query)
    if (known) return known
    const checked = this.#checkAnew(query)
    this.#remembered.set(query, checked)
    return checked
  }

  #checkAnew(query: string): CheckedDocument {
    const document = parseWithin(this.#limits, query)
    if (document instanceof GraphQLError) return { document: emptyDocument, errors: [document] }
    // Before validation, whose cost grows with what the limits bound.
    const excess = beyondLimits(this.#limits, this.#schema, document)
    const errors = excess ? [excess] : validate(this.#schema, document, rules)
    return { document, errors: errors.map(badInput) }
  }
}

const emptyDocument: DocumentNode = { kind: 'Document', definitions: [] } as never

function parseWithin({ tokenCountMax }: OperationLimits, query: string): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens: tokenCountMax })
  } catch (error) {
    if (error instanceof GraphQLError) return badInput(error)
    // The parser recurses: deep nesting ends on the stack's limit before it meets ours.
    if (error instanceof RangeError) return badInput(new GraphQLError('This document is nested too deeply to be read.'))
    throw error
  }
}
