/**
 * Running operations, the same for every door: one place checks documents, executes them and decides what of an error is shown.
 * Yoga brings the execution pipeline (`getEnveloped`) and answers GET; the busy doors call the pipeline directly, because four fifths of
 * what Yoga spends on a POST is its Request and Response objects.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DocumentNode, type ExecutionResult, getOperationAST, GraphQLError, type OperationTypeNode } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import { type Caller, createContext, type RequestContext } from '../../../schema/context.ts'
import { schema } from '../../../schema/schema.ts'
import type { App } from '../../app/app.ts'
import type { Config } from '../../config/config.ts'
import { callerOf } from '../caller.ts'
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

export interface Engine {
  prepare(request: OperationRequest, caller: Caller): Prepared
  /** GET /graphql?query=... */
  answerGet(request: IncomingMessage, response: ServerResponse): void
}

export function createEngine({ app, config, logger }: { app: App; config: Config; logger: Logger }): Engine {
  const documents = new Documents(schema, {
    tokenCountMax: config.HEARTH_MAX_QUERY_TOKENS,
    depthMax: config.HEARTH_MAX_QUERY_DEPTH,
    costMax: config.HEARTH_MAX_QUERY_COST,
  })
  const maskError = maskErrors(logger)
  const yoga = createYoga<{ req: IncomingMessage; res: ServerResponse }, RequestContext>({
    schema,
    graphqlEndpoint: '/graphql',
    context: ({ req }) => createContext(app, callerOf(req)),
    plugins: [checkedDocuments(documents)],
    maskedErrors: { maskError },
    maxRequestBodySize: config.HEARTH_MAX_BODY_BYTES,
    parserAndValidationCache: false,
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    logging: false,
  })

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
            return plain(await run({ schema, document, operationName, variableValues: variables, contextValue }))
          } catch (error) {
            return { errors: [maskError(error)] }
          }
        },
      }
    },
    answerGet: (request, response) => void yoga(request, response),
  }
}

/** Sends Yoga's own requests through the same checks. */
function checkedDocuments(documents: Documents): Plugin {
  return {
    onParse: ({ params, setParseFn }) => {
      setParseFn(() => {
        const { document, errors } = documents.check(String(params.source))
        if (errors.length > 0) throw new AggregateError(errors.map(answeredWith400))
        return document
      })
    },
    // It has been validated with its parsing.
    onValidate: ({ setResult }) => setResult([]),
  }
}

/** A copy, because the error itself is remembered for the other doors. */
function answeredWith400(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, extensions } = error
  const http = { status: 400, spec: true }
  return new GraphQLError(message, { nodes, source, positions, extensions: { ...extensions, http } })
}

type Outcome = ExecutionResult | AsyncIterableIterator<ExecutionResult>

/** Without the hints on HTTP that the pipeline writes into errors for Yoga. */
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
