/** The doors over a fake application, listening on a free port, with what a test needs to knock. */

import { type Client, createClient } from 'graphql-ws'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config/config.ts'
import { createDoors } from '../../src/server/doors.ts'
import { FakeApp } from './fake-app.ts'

export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[]
}

/** Closed when the test ends. */
export async function openDoors(
  environment: Readonly<Record<string, string>> = {},
  app = new FakeApp(),
): Promise<OpenDoors> {
  const log: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(line) })
  const doors = createDoors({ app, config: readConfig({ HEARTH_PORT: '0', ...environment }), logger })
  const { url } = await doors.listen()
  const open = new OpenDoors(app, url, log, (graceMs) => doors.close(graceMs))
  onTestFinished(() => open.close(0))
  return open
}

export class OpenDoors {
  readonly app: FakeApp
  readonly url: string
  readonly log: readonly string[]
  readonly #close: (graceMs: number) => Promise<void>
  readonly #clients: Client[] = []
  #closing: Promise<void> | null = null

  constructor(app: FakeApp, url: string, log: readonly string[], close: (graceMs: number) => Promise<void>) {
    this.app = app
    this.url = url
    this.log = log
    this.#close = close
  }

  get webSocketUrl(): string {
    return this.url.replace(/^http/, 'ws')
  }

  at(path: string): string {
    return new URL(path, this.url).href
  }

  close(graceMs: number): Promise<void> {
    for (const client of this.#clients) void client.dispose()
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  async askOverHttp(query: string, variables: object = {}): Promise<Answer> {
    return (await (await this.post({ query, variables })).json()) as Answer
  }

  /** Neither retries nor reconnects. */
  client(): Client {
    const client = createClient({ url: this.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 })
    this.#clients.push(client)
    return client
  }

  /** The first answer; errors of the request as a whole too. */
  async askOverWebSocket(query: string, variables: object = {}): Promise<Answer> {
    const answers = this.client().iterate({ query, variables: { ...variables } })
    try {
      const { value } = (await answers.next()) as { value: Answer }
      return value
    } catch (errors) {
      return { errors: errors as NonNullable<Answer['errors']> }
    }
  }
}

/** Both front doors, for what must be the same at each. */
export const askings = [
  ['HTTP', (doors: OpenDoors, query: string, variables?: object) => doors.askOverHttp(query, variables)],
  ['WebSocket', (doors: OpenDoors, query: string, variables?: object) => doors.askOverWebSocket(query, variables)],
] as const
