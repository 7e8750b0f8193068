/**
 * /healthz says that the process works and which workers do not answer; it stays 200 with silent workers, because restarting the server
 * would not help them. /readyz says whether submissions are durable and accepted; models may be cold.
 */
import type { ServerResponse } from 'node:http'
import type { App } from '../../app/app.ts'
import { answerJson } from './answers.ts'

export function answerHealth(response: ServerResponse, app: Pick<App, 'silentWorkers'>): void {
  const silentWorkers = app.silentWorkers()
  answerJson(response, 200, 'application/json', {
    status: silentWorkers.length === 0 ? 'ok' : 'degraded',
    silentWorkers,
  })
}

export function answerReadiness(response: ServerResponse, app: Pick<App, 'ready'>, isClosing: boolean): void {
  if (isClosing) return answerJson(response, 503, 'application/json', { status: 'closing' })
  if (!app.ready()) return answerJson(response, 503, 'application/json', { status: 'starting or refusing submissions' })
  answerJson(response, 200, 'application/json', { status: 'ready' })
}
