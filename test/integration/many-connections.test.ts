/** A thousand clients at once, each with a connection and a subscription of its own: all are served, and each costs the server little. */
import { expect, test } from 'vitest'
import { residentBytes } from '../support/processes.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { startServer } from '../support/servers.ts'
import { noop, submit, submitAll } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const connections = 1000
const atOnce = 100
/** What one idle connection with its subscription may cost the server, everything counted. */
const bytesPerConnectionMax = 128 * 1024

const follow = 'subscription ($id: ID!) { jobEvents(id: $id) { __typename } }'
const version = '{ server { version } }'

test('a thousand clients follow a job each, and one they all share', async () => {
  const hearth = await startServer()
  // The first connections pay for what is loaded and compiled once.
  const warm = await openMany(hearth.url, atOnce)
  for (const socket of warm) socket.socket.terminate()
  const before = await residentBytes(hearth.pid)

  const sockets = await openMany(hearth.url, connections)
  // It runs until it is told to stop, so that nobody is too late.
  const shared = await submit(hearth, noop({ steps: 1_000_000, stepMs: 5 }))
  for (const socket of sockets) socket.subscribe('shared', follow, { id: shared })
  await Promise.all(sockets.map((socket) => socket.next(({ id, type }) => id === 'shared' && type === 'next')))
  const bytesPerConnection = Math.max(0, (await residentBytes(hearth.pid)) - before) / connections
  console.log(
    `${connections} connections with a subscription each: ${Math.round(bytesPerConnection / 1024)} KiB of the server's memory per connection.`,
  )
  expect(bytesPerConnection).toBeLessThan(bytesPerConnectionMax)

  const own = await submitAll(
    hearth,
    Array.from({ length: connections }, () => noop({ steps: 2 })),
  )
  for (const [index, socket] of sockets.entries()) socket.subscribe('own', follow, { id: own[index] })
  await Promise.all(sockets.map((socket) => socket.next(({ id, type }) => id === 'own' && type === 'complete')))
  for (const { messages } of sockets) {
    const finals = messages.filter(
      ({ id, payload }) => id === 'own' && JSON.stringify(payload)?.includes('JobSucceeded'),
    )
    expect(finals).toHaveLength(1)
  }

  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: shared })
  await Promise.all(sockets.map((socket) => socket.next(({ id, type }) => id === 'shared' && type === 'complete')))
  for (const { messages } of sockets) {
    expect(messages.filter(({ payload }) => JSON.stringify(payload)?.includes('JobCancelled'))).toHaveLength(1)
  }
  for (const { socket } of sockets) socket.terminate()
  expect((await hearth.ask<{ server: object }>(version)).server).toMatchObject({
    version: expect.any(String) as string,
  })
})

test('a flood above the limit on connections is turned away, and those inside are served throughout', async () => {
  const limit = 50
  const hearth = await startServer({ environment: { HEARTH_MAX_CONNECTIONS: String(limit) } })
  const inside = await openMany(hearth.url, limit)
  const flood = Array.from({ length: 500 }, () => new RawSocket(hearth.url.replace(/^http/, 'ws')))
  for (const [index, socket] of inside.entries()) socket.subscribe(`during ${index}`, version)
  await Promise.all(inside.map((socket) => socket.next(({ type }) => type === 'complete')))
  for (const { code } of await Promise.all(flood.map(({ closed }) => closed))) expect(code).toBe(1006)
  for (const { socket } of inside) socket.terminate()
  await until('there is room again', async () => {
    const socket = new RawSocket(hearth.url.replace(/^http/, 'ws'))
    const isOpen = await Promise.race([
      new Promise<boolean>((resolve) => socket.socket.once('open', () => resolve(true))),
      socket.closed.then(() => false),
    ])
    socket.socket.terminate()
    return isOpen
  })
})

/** Opened a hundred at a time, as the queue of the kernel for new connections is no longer than a few hundred. */
async function openMany(url: string, count: number): Promise<RawSocket[]> {
  const sockets: RawSocket[] = []
  while (sockets.length < count) {
    const size = Math.min(atOnce, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: size }, () => RawSocket.open(url.replace(/^http/, 'ws'))))))
  }
  return sockets
}
