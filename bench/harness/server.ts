/** The server under measurement: one core for the process with all its threads, its workers where the benchmark puts them. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Hearth, startHearth } from '../../test/support/hearth.ts'
import { processTree } from './process-tree.ts'

const serverCore = 0
const workerMemoryLimitBytes = 8 * 2 ** 30
/** Of each of the server's outputs, when a benchmark ends before its time. */
const linesMax = 10

export interface ServerOptions {
  /** Core of the workers; without it they are with the server, as the peers were measured. */
  readonly workerCore?: number
  /** A folder of the caller's; without it a temporary one is made, and removed at the end. */
  readonly dataDir?: string
  /** Where the server's CPU profiles go when it ends; null or without it none are taken. */
  readonly profileDir?: string | null
  /** Settings besides those that every measured server has. */
  readonly environment?: Readonly<Record<string, string>>
}

export class MeasuredServer implements AsyncDisposable {
  readonly hearth: Hearth
  readonly #folder: string
  readonly #killAtExit: () => void

  static async start({
    workerCore = serverCore,
    dataDir,
    profileDir = null,
    environment = {},
  }: ServerOptions = {}): Promise<MeasuredServer> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
    const devices = join(folder, 'devices.json')
    const device = { name: 'cpu', kind: 'cpu', cores: [workerCore], memoryLimitBytes: workerMemoryLimitBytes }
    await writeFile(devices, JSON.stringify([device]))
    const hearth = await orCleanedUp(folder, () =>
      startHearth({
        wrapper: ['taskset', '-c', [...new Set([serverCore, workerCore])].join()],
        dataDir: dataDir ?? join(folder, 'data'),
        environment: {
          HEARTH_DEVICES: devices,
          ...environment,
          ...(profileDir === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` }),
        },
      }),
    )
    // A server may declare only cores that it may run on itself, so it is confined to its own after it has.
    if (workerCore !== serverCore) confine(hearth.pid, serverCore)
    return new MeasuredServer(hearth, folder)
  }

  constructor(hearth: Hearth, folder: string) {
    this.hearth = hearth
    this.#folder = folder
    this.#killAtExit = () => {
      killTree(hearth.pid)
      removeNow(folder)
      console.error(
        [`The server said last:`, ...hearth.output.slice(-linesMax), ...hearth.log.slice(-linesMax)].join('\n  '),
      )
    }
    process.once('exit', this.#killAtExit)
  }

  get url(): string {
    return this.hearth.url
  }

  get pid(): number {
    return this.hearth.pid
  }

  /** kill -9, of the server process alone: its workers are to notice by themselves. */
  async kill(): Promise<void> {
    await this.hearth.kill()
    await this.#cleanUp()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hearth.stop()
    await this.#cleanUp()
  }

  async #cleanUp(): Promise<void> {
    process.off('exit', this.#killAtExit)
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** A server that never gets ready, or a benchmark that ends before it does, leaves nothing either. */
async function orCleanedUp(folder: string, start: () => Promise<Hearth>): Promise<Hearth> {
  const cleanUp = () => {
    for (const child of processTree(process.pid).slice(1)) killTree(child)
    removeNow(folder)
  }
  process.once('exit', cleanUp)
  try {
    return await start()
  } catch (error) {
    removeNow(folder)
    throw error
  } finally {
    process.off('exit', cleanUp)
  }
}

/** Processes that were just killed may still be writing their last. */
function removeNow(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** All threads of the process, but not its workers, which have been given theirs. */
function confine(pid: number, core: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], { stdio: 'ignore' })
}

/** For a benchmark that ends before its time: nothing it started stays behind. */
function killTree(pid: number): void {
  for (const member of processTree(pid)) {
    try {
      process.kill(member, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}
