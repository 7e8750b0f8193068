/** The program of naive-door.ts: `node naive-server.ts FOLDER`. It promises what Hearth promises: named by its content, on the disk before the answer. */
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) throw new Error('Give the folder for the files.')

const server = createServer((request, response) => {
  const answer = request.method === 'PUT' ? take(request, response) : give(request, response)
  answer.catch((error: unknown) => response.writeHead(500).end(String(error)))
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const whole = Buffer.concat(parts)
  const name = createHash('sha256').update(whole).digest('hex')
  const file = await open(join(folder as string, name), 'w')
  try {
    await file.writeFile(whole)
    await file.sync()
  } finally {
    await file.close()
  }
  response.writeHead(201).end(name)
}

async function give(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const whole = await readFile(join(folder as string, basename(request.url ?? '')))
  response.writeHead(200, { 'content-length': whole.length }).end(whole)
}
