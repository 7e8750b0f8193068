/**
 * Running operations, the same for every door: one place checks documents, executes them and decides what of an error is shown.
 * Yoga brings the pipeline that executes (`getEnveloped`), for plugins that hook into execution. Its HTTP layer is not used: a POST costs
 * several times as much with it, and its event streams do not end when the server closes. So what plugins hook into requests, parsing
 * and validation would not run here.
 */
import { type DocumentNode, type ExecutionResult, GraphQLError, getOperationAST, type OperationTypeNode } from 'graphql'
import { createYoga } from 'graphql-yoga'
import type { Logger } from 'pino'
import { type Caller, createContext } from '../../../schema/context.ts'
import { schema } from '../../../schema/schema.ts'
import type { App } from '../../app/app.ts'
import type { Config } from '../../config/config.ts'
import { Documents } from './documents.ts'
import { maskErrors } from './mask-errors.ts'

export interface OperationRequest {
  readonly query: string
  readonly operationName: string | null
  readonly variables: Readonly<Record<string, unknown>>
}

/** An operation that may run, or what is wrong with it. */
export type Prepared = Operation | { readonly kind: 'refused'; readonly errors: readonly GraphQLError[] }

export interface Operation {
  readonly kind: OperationTypeNode
  readonly document: DocumentNode
  /** Never rejects: failures are in the results. */
  run(): Promise<Outcome>
}
export type Outcome = ExecutionResult | AsyncIterableIterator<ExecutionResult>

export interface Engine {
  prepare(request: OperationRequest, caller: Caller): Prepared
}

export function createEngine({ app, config, logger }: { app: App; config: Config; logger: Logger }): Engine {
  const documents = new Documents(schema, {
    tokenCountMax: config.HEARTH_MAX_QUERY_TOKENS,
    depthMax: config.HEARTH_MAX_QUERY_DEPTH,
    costMax: config.HEARTH_MAX_QUERY_COST,
  })
  const maskError = maskErrors(logger)
  const yoga = createYoga({ schema, maskedErrors: { maskError }, logging: false })

  return {
    prepare({ query, operationName, variables }, caller) {
      const { document, errors } = documents.check(query)
      if (errors.length > 0) return { kind: 'refused', errors }
      const operation = getOperationAST(document, operationName)
      if (!operation) return { kind: 'refused', errors: [unknownOperation(operationName)] }
      const contextValue = createContext(app, caller)
      const { execute, subscribe } = yoga.getEnveloped(contextValue)
      const run = operation.operation === 'subscription' ? subscribe : execute
      return {
        kind: operation.operation,
        document,
        run: async () => {
          try {
            const args = { schema, document, operationName, variableValues: variables, contextValue }
            return plain((await run(args)) as Outcome)
          } catch (error) {
            return { errors: [maskError(error)] }
          }
        },
      }
    },
  }
}

/** Without the hints on HTTP that the pipeline writes into errors. */
function plain(outcome: Outcome): Outcome {
  if ('next' in outcome || !outcome.errors) return outcome
  for (const { extensions } of outcome.errors) delete extensions['http']
  return outcome
}

function unknownOperation(name: string | null): GraphQLError {
  const message =
    name === null
      ? 'Say by operationName which operation of the document to run.'
      : `The document has no operation ${JSON.stringify(name)}.`
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
