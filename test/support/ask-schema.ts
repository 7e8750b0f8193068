/** The schema without any door: an operation, executed over an application. */
import { graphql, parse, subscribe } from 'graphql'
import { createContext } from '../../schema/context.ts'
import { schema } from '../../schema/schema.ts'
import type { App } from '../../src/app/app.ts'

export async function ask(app: App, source: string, variables: Readonly<Record<string, unknown>> = {}) {
  const contextValue = createContext(app, { name: 'test' })
  const result = await graphql({ schema, source, variableValues: variables, contextValue })
  // Through JSON, as a client sees it.
  return JSON.parse(JSON.stringify(result)) as SchemaAnswer
}

export interface SchemaAnswer {
  readonly data: Readonly<Record<string, unknown>> | null
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, string>> }[]
}

/** The results of a subscription, or the errors with which it could not begin. */
export async function follow(app: App, source: string, variables: Readonly<Record<string, unknown>> = {}) {
  const contextValue = createContext(app, { name: 'test' })
  const result = await subscribe({ schema, document: parse(source), variableValues: variables, contextValue })
  if (!('next' in result)) throw new AggregateError(result.errors ?? [], result.errors?.[0]?.message)
  return result
}
