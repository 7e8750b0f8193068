/** Who used the processors while something was measured: shows whether the server was the limit, or the machine was shared. */
import { cpuMs, machineBusyMs, processTree } from './process-tree.ts'

/** In cores: 1 is one core, busy all the time. */
export interface Load {
  readonly generator: number
  readonly server: number
  readonly workers: number
  /** Everything else on the machine, the kernel's own work included. */
  readonly others: number
}

export class LoadWatch {
  readonly #serverPid: number
  readonly #startedAt = performance.now()
  readonly #before: Reading

  constructor(serverPid: number) {
    this.#serverPid = serverPid
    this.#before = read(serverPid)
  }

  read(): Load {
    const now = read(this.#serverPid)
    const wallMs = performance.now() - this.#startedAt
    const generator = (now.generator - this.#before.generator) / wallMs
    const server = (now.server - this.#before.server) / wallMs
    const workers = Math.max(0, now.workers - this.#before.workers) / wallMs
    const all = (now.machine - this.#before.machine) / wallMs
    return { generator, server, workers, others: Math.max(0, all - generator - server - workers) }
  }
}

export function describeLoad({ generator, server, workers, others }: Load): string {
  const cores = (share: number) => share.toFixed(2)
  return `cores used: server ${cores(server)}, workers ${cores(workers)}, generator ${cores(generator)}, others ${cores(others)}`
}

interface Reading {
  readonly generator: number
  readonly server: number
  readonly workers: number
  readonly machine: number
}

function read(serverPid: number): Reading {
  const { user, system } = process.cpuUsage()
  const [server = 0, ...workers] = processTree(serverPid).map(cpuMs)
  return {
    generator: (user + system) / 1000,
    server,
    workers: workers.reduce((sum, ms) => sum + ms, 0),
    machine: machineBusyMs(),
  }
}
