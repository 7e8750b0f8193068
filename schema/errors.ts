/** Expected failures as members of result unions: the classes of src/app/errors.ts, told apart by `kind`. */
import type { ObjectRef } from '@pothos/core'
import {
  type AppError,
  Conflict,
  type FieldProblem as FieldProblemView,
  InvalidInput,
  ModelTooLarge,
  NotFound,
  Overloaded,
} from '../src/app/errors.ts'
import { builder } from './builder.ts'
import { nodeNames } from './ids.ts'
import { encodeOpaque } from './opaque.ts'

const ErrorInterface = builder.interfaceRef<AppError>('Error').implement({
  description: 'A failure that can be expected. The message says what happened, to what, and what to do.',
  fields: (t) => ({ message: t.exposeString('message') }),
  resolveType: (error) => error.kind,
})

const FieldProblem = builder.objectRef<FieldProblemView>('FieldProblem').implement({
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where in the input: `task.generateText.maxTokens`, `jobs.3.model`.' }),
    message: t.exposeString('message'),
  }),
})

builder.objectType(InvalidInput, {
  name: 'InvalidInputError',
  description: 'All that is wrong with the input, at once.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ fields: t.field({ type: [FieldProblem], resolve: (error) => error.fields }) }),
})
builder.objectType(NotFound, {
  name: 'NotFoundError',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    message: t.string({ resolve: (error) => error.messageAbout(shownReference(error)) }),
    kind: t.exposeString('what', { description: 'What was looked for: Job, Model, Session, Device.' }),
    reference: t.string({ resolve: shownReference }),
  }),
})
builder.objectType(Conflict, {
  name: 'ConflictError',
  description: 'It is in a state, or named by a key, that does not allow this.',
  interfaces: [ErrorInterface],
})
builder.objectType(Overloaded, {
  name: 'OverloadedError',
  description: 'Refused before anything was written; try again later.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ limit: t.exposeString('limit'), retryAfterMs: t.exposeFloat('retryAfterMs') }),
})
builder.objectType(ModelTooLarge, {
  name: 'ModelTooLargeError',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    neededBytes: t.expose('neededBytes', { type: 'ByteCount' }),
    availableBytes: t.expose('availableBytes', { type: 'ByteCount' }),
    suggestion: t.exposeString('suggestion'),
  }),
})

/** Ids as callers send them, not the numbers behind them. */
function shownReference({ what, reference }: NotFound): string {
  const noun = nodeNames.find((name) => name === what)
  return typeof reference === 'number' && noun ? encodeOpaque(noun, reference) : String(reference)
}

const members = { InvalidInput, NotFound, Conflict, Overloaded, ModelTooLarge }
type ErrorName = keyof typeof members
type Types = typeof builder.$inferSchemaTypes

/** `SubmitJob` gives the union SubmitJobResult of SubmitJobSuccess and the errors that can really happen. */
export function resultUnion<Success extends object, Name extends ErrorName>(
  name: string,
  success: ObjectRef<Types, Success>,
  errors: readonly Name[],
) {
  const types: (ObjectRef<Types, Success> | (typeof members)[Name])[] = [
    success,
    ...errors.map((error) => members[error]),
  ]
  return builder.unionType(`${name}Result`, {
    types,
    resolveType: (value: Success | AppError) => ('kind' in value ? value.kind : success.name),
  })
}
