/** Readers that stop reading their socket: they speak the protocols by hand, because a client library would read on. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { WebSocket } from 'ws'
import type { Hearth } from './hearth.ts'
import { type Operation, serverSentEvents, type Transport } from './subscriptions.ts'

export interface SlowReader<Data> {
  /** Everything until the operation is complete. */
  readOn(): Promise<readonly Data[]>
  hangUp(): void
}

/** Subscribed, and reading nothing yet. */
export function openSlowReader<Data>(
  hearth: Hearth,
  transport: Transport,
  operation: Operation,
): Promise<SlowReader<Data>> {
  return transport === 'WebSocket' ? openSlowSocket(hearth, operation) : openSlowStream(hearth, operation)
}

async function openSlowSocket<Data>(hearth: Hearth, operation: Operation): Promise<SlowReader<Data>> {
  const socket = new WebSocket(hearth.url.replace(/^http/, 'ws'), 'graphql-transport-ws')
  await once(socket, 'open')
  socket.send('{"type":"connection_init"}')
  await once(socket, 'message')
  socket.pause()
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: operation }))
  return {
    readOn: () => readSocket(socket),
    hangUp: () => socket.terminate(),
  }
}

function readSocket<Data>(socket: WebSocket): Promise<readonly Data[]> {
  return new Promise((resolve, reject) => {
    const answers: Data[] = []
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as { type: string; payload?: { data?: Data } }
      if (message.type === 'next' && message.payload?.data) answers.push(message.payload.data)
      else if (message.type === 'ping') socket.send('{"type":"pong"}')
      else if (message.type === 'error') reject(new Error(bytes.toString()))
      else if (message.type === 'complete') {
        resolve(answers)
        socket.terminate()
      }
    })
    socket.on('close', (code, reason) => reject(new Error(`Closed with ${code}: ${reason.toString()}`)))
    socket.resume()
  })
}

async function openSlowStream<Data>(hearth: Hearth, operation: Operation): Promise<SlowReader<Data>> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
  const asking = request(hearth.url, { method: 'POST', headers, agent: false })
  asking.end(JSON.stringify(operation))
  // Nothing is read of the body before somebody asks for it.
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  return {
    readOn: () => readStream(response),
    hangUp: () => asking.destroy(),
  }
}

async function readStream<Data>(response: IncomingMessage): Promise<readonly Data[]> {
  const answers: Data[] = []
  for await (const { event, data } of serverSentEvents(response)) {
    if (event === 'next') answers.push((JSON.parse(data) as { data: Data }).data)
  }
  return answers
}
