/** The reader's thread: answers questions about history on a connection that cannot write. */
import { parentPort, workerData } from 'node:worker_threads'
import { openForReading } from '../opening/connection.ts'
import type { Answer, FromReader, Question, ToReader } from './messages.ts'
import { prepareQueries } from './queries.ts'

if (!parentPort) throw new Error('The reader runs in a thread of its own.')
const port = parentPort
const database = openForReading(workerData as string)
const queries = prepareQueries(database)
/** Answers leave together, but none waits longer than this for the slow ones behind it. */
const holdMs = 2

port.on('message', (message: ToReader) => {
  if (message === 'close') {
    database.close()
    return port.close()
  }
  let answers: Answer[] = []
  let startedAt = performance.now()
  for (const question of message) {
    answers.push(answer(question))
    if (performance.now() - startedAt < holdMs) continue
    tell(answers)
    answers = []
    startedAt = performance.now()
  }
  if (answers.length > 0) tell(answers)
})

function answer({ id, query, parameters }: Question): Answer {
  try {
    const ask = queries[query] as (...parameters: readonly unknown[]) => unknown
    return { id, rows: ask(...parameters) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

function tell(answers: FromReader): void {
  port.postMessage(answers)
}
