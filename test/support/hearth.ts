/** A real server in a process of its own, as tests and benchmarks use it: started, spoken to over its public API, killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { copyFile, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const models = fileURLToPath(new URL('../../models', import.meta.url))
/** As `npm start` does it. */
const compileCache = fileURLToPath(new URL('../../.hearth/compile-cache', import.meta.url))
/** Digests of the starter models, from the server of former tests that had read most: the next ones need not read them whole once more. */
const sharedDigests = fileURLToPath(new URL('../../.hearth/test-digests.json', import.meta.url))
const noopModels = fileURLToPath(new URL('../../bench/models', import.meta.url))
const readyLine = /^Hearth is ready: (http:\S+)$/
const startMaxMs = 30_000

export interface HearthOptions {
  /** Kept after `stop`, so that a second server can open it; a temporary one is made and removed otherwise. */
  readonly dataDir?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Put before the command, e.g. `['taskset', '-c', '0']`. */
  readonly wrapper?: readonly string[]
}

export interface GraphQLAnswer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[]
}

/** Starts a server on a free port with the starter models and the no-op model; resolves at its ready line. */
export async function startHearth(options: HearthOptions = {}): Promise<Hearth> {
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'hearth-test-')) : null
  const dataDir = options.dataDir ?? (temporary as string)
  await adoptDigests(dataDir)
  const [command, ...wrapped] = [...(options.wrapper ?? []), process.execPath]
  const child = spawn(command, [...wrapped, main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compileCache,
      HEARTH_PORT: '0',
      HEARTH_DATA_DIR: dataDir,
      HEARTH_MODEL_PATHS: `${models},${noopModels}`,
      HEARTH_LOG_LEVEL: 'warn',
      ...options.environment,
    },
  })
  const hearth = new Hearth(child, dataDir, temporary)
  try {
    await hearth.readyWithin(startMaxMs)
  } catch (error) {
    await hearth.kill()
    throw error
  }
  return hearth
}

export class Hearth {
  readonly dataDir: string
  readonly #child: ChildProcess
  readonly #temporary: string | null
  readonly #stdout: string[] = []
  readonly #stderr: string[] = []
  readonly #exited: Promise<number | NodeJS.Signals>
  readonly #url: Promise<string>
  readonly #clients = new Set<Client>()
  url = ''

  constructor(child: ChildProcess, dataDir: string, temporary: string | null) {
    this.#child = child
    this.dataDir = dataDir
    this.#temporary = temporary
    this.#exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? 0)))
    this.#url = new Promise((resolve) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        this.#stdout.push(line)
        const [, url] = readyLine.exec(line) ?? []
        if (url !== undefined) resolve(url)
      })
    })
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => this.#stderr.push(line))
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Lines on standard output and standard error so far. */
  get output(): readonly string[] {
    return this.#stdout
  }
  get log(): readonly string[] {
    return this.#stderr
  }

  async readyWithin(ms: number): Promise<void> {
    const late = AbortSignal.timeout(ms)
    const tooLate = new Promise<never>((_, reject) =>
      late.addEventListener('abort', () => reject(new Error(`Not ready after ${ms} ms. ${this.#said()}`))),
    )
    const died = this.#exited.then((how) =>
      Promise.reject(new Error(`The server ended (${how}) before it was ready. ${this.#said()}`)),
    )
    this.url = await Promise.race([this.#url, tooLate, died])
  }

  /** One query or mutation over HTTP. */
  async query<Data = Record<string, unknown>>(
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<GraphQLAnswer<Data>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return (await response.json()) as GraphQLAnswer<Data>
  }

  /** As `query`, for answers that must have no errors. */
  async ask<Data = Record<string, unknown>>(
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<Data> {
    const { data, errors } = await this.query<Data>(query, variables)
    if (errors || !data) throw new Error(`GraphQL errors: ${JSON.stringify(errors)}`)
    return data
  }

  /** A WebSocket client that neither retries nor reconnects; disposed with the server. */
  socket(): Client {
    const client = createClient({ url: this.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
    this.#clients.add(client)
    return client
  }

  /** SIGTERM, and what became of it. */
  async stop(): Promise<number | NodeJS.Signals> {
    for (const client of this.#clients) void client.dispose()
    this.#child.kill('SIGTERM')
    const how = await this.#exited
    await this.#cleanUp()
    return how
  }

  /** SIGKILL; the data folder stays unless it was temporary. */
  async kill(): Promise<void> {
    for (const client of this.#clients) void Promise.resolve(client.dispose()).catch(() => {})
    this.#child.kill('SIGKILL')
    await this.#exited
    await this.#cleanUp()
  }

  async #cleanUp(): Promise<void> {
    await shareDigests(this.dataDir)
    if (this.#temporary) await rm(this.#temporary, { recursive: true, force: true })
  }

  #said(): string {
    return [...this.#stdout, ...this.#stderr].slice(-20).join('\n')
  }
}

function digestsIn(dataDir: string): string {
  return join(dataDir, 'digests.json')
}

/** Only ever a saving: where there are none, nothing is missed. */
async function adoptDigests(dataDir: string): Promise<void> {
  await copyFile(sharedDigests, digestsIn(dataDir), constants.COPYFILE_EXCL).catch(() => {})
}

async function shareDigests(dataDir: string): Promise<void> {
  const path = digestsIn(dataDir)
  if ((await bytesOf(path)) <= (await bytesOf(sharedDigests))) return
  const copy = `${sharedDigests}.${process.pid}`
  await copyFile(path, copy)
  await rename(copy, sharedDigests)
}

async function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
