/**
 * One operating-system process with its four streams: started as the leader of its own process group, dead when it is reaped *and* its
 * descriptor 3 is read to the end, whichever comes last.
 */
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { execa } from 'execa'

export interface ProcessStart {
  readonly file: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly onChunk: (chunk: Buffer) => void
  /** Descriptor 3 was closed by the process, which may live on. */
  readonly onStreamEnd: () => void
  /** After `write` answered false: the stream takes bytes again. */
  readonly onWritable: () => void
  readonly onOutput: (chunk: Buffer) => void
  readonly onErrorOutput: (chunk: Buffer) => void
}

export type ProcessEnd =
  | { readonly kind: 'never_started'; readonly reason: string }
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }

/** After the process was reaped, somebody it has started may still hold descriptor 3; so long we wait for its end. */
const streamEndMsMax = 2000
/** Under memory pressure the kernel shall take a worker, which is replaced, not the server (-1000 to 1000). */
const outOfMemoryScore = 500

export class WorkerProcess {
  readonly pid: number | null
  readonly ended: Promise<ProcessEnd>
  readonly #stream: Socket

  constructor(start: ProcessStart) {
    // execa takes descriptor 3 for text output: it must neither gather it nor kill the process when there is much of it.
    const subprocess = execa(start.file, start.arguments, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      buffer: false,
      reject: false,
      detached: true,
      extendEnv: false,
      env: start.environment,
      stripFinalNewline: false,
    })
    // A 'pipe' beyond the three standard ones is one end of a socket pair, which execa's types do not say.
    this.#stream = subprocess.stdio[3] as unknown as Socket
    this.pid = subprocess.pid ?? null

    // In the tick of the spawn: a tick later execa would have let the first bytes go.
    keepReadableAfterFailedWrites(this.#stream)
    this.#stream.on('data', start.onChunk)
    this.#stream.on('drain', start.onWritable)
    // The only errors are of reading (the process is gone without having read everything) and mean the end; 'close' follows.
    this.#stream.on('error', () => {})
    this.#stream.once('close', start.onStreamEnd)
    subprocess.stdout.on('data', start.onOutput)
    subprocess.stderr.on('data', start.onErrorOutput)

    const reaped = new Promise<ProcessEnd>((resolve) => {
      subprocess.nodeChildProcess.once('exit', (status, signal) =>
        resolve(signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'signalled', signal }),
      )
      void subprocess.then((result) => {
        if (this.pid === null) resolve({ kind: 'never_started', reason: result.originalMessage ?? 'unknown reason' })
      })
    })
    this.ended = this.#watchEnd(reaped)
    if (this.pid !== null) offerToOutOfMemoryKiller(this.pid)
  }

  /** Writes the buffers at once; false = full for now. */
  write(buffers: readonly Buffer[]): boolean {
    if (this.#stream.destroyed) return true
    this.#stream.cork()
    for (const buffer of buffers) this.#stream.write(buffer)
    this.#stream.uncork()
    return !this.#stream.writableNeedDrain
  }

  /** Held, the process is not read from, and waits when it writes much. */
  holdReading(isHeld: boolean): void {
    if (isHeld) this.#stream.pause()
    else this.#stream.resume()
  }

  /** To the whole process group, so that nobody it has started stays behind. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.pid !== null) sendSignal(-this.pid, signal)
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid !== null) sendSignal(this.pid, signal)
  }

  async #watchEnd(reaped: Promise<ProcessEnd>): Promise<ProcessEnd> {
    const streamClosed = new Promise<void>((resolve) => {
      this.#stream.once('close', () => resolve())
    })
    const end = await reaped
    if (end.kind === 'never_started') this.#stream.destroy()
    else this.signalGroup('SIGKILL')
    const tooLate = setTimeout(() => this.#stream.destroy(), streamEndMsMax)
    await streamClosed
    clearTimeout(tooLate)
    return end
  }
}

/**
 * A failed write (the process is gone) would make Node close the socket and throw away what the process had still written before it died.
 * That it is gone is told by the reading side, so the failure of a write is not passed on.
 */
function keepReadableAfterFailedWrites(stream: Socket): void {
  const write = stream._write.bind(stream)
  const writeSeveral = stream._writev?.bind(stream)
  stream._write = (chunk, encoding, done) => write(chunk, encoding, () => done())
  if (writeSeveral) stream._writev = (chunks, done) => writeSeveral(chunks, () => done())
}

function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch {
    // It has already gone, which is what a signal here is for.
  }
}

function offerToOutOfMemoryKiller(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(outOfMemoryScore))
  } catch {
    // No such setting here (macOS), or the process has already gone.
  }
}
