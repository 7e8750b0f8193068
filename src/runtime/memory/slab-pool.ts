/**
 * All slabs of this server. They are made when they are wanted and none of their size is free, up to the limit; when the limit is reached, free ones of
 * other sizes make room.
 */
import { rmSync } from 'node:fs'
import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Slab, type SlabState } from './slab.ts'

export class SlabPool {
  readonly folder: string
  readonly limitBytes: number
  readonly #all = new Set<Slab>()
  /** The one that became free last is at the end: its memory is most likely in a cache. */
  readonly #free: Slab[] = []
  /** None of them rejects. */
  readonly #making = new Set<Promise<Slab | null>>()
  #lastId = 0
  /** Of all slabs, those being made included. */
  #bytes = 0
  #isClosed = false

  constructor(folder: string, limitBytes: number) {
    this.folder = folder
    this.limitBytes = limitBytes
  }

  get sizeBytes(): number {
    return this.#bytes
  }

  bytesIn(state: SlabState): number {
    let bytes = 0
    for (const slab of this.#all) if (slab.state === state) bytes += slab.sizeBytes
    return bytes
  }

  /** A slab of exactly this size class, granted; null = there can be none for now. */
  async take(sizeBytes: number): Promise<Slab | null> {
    const index = this.#free.findLastIndex((slab) => slab.sizeBytes === sizeBytes)
    const [slab = null] = index < 0 ? [await this.#make(sizeBytes)] : this.#free.splice(index, 1)
    if (slab) grant(slab)
    return slab
  }

  /** Nobody holds it or reads it any more. */
  giveBack(slab: Slab): void {
    slab.state = 'free'
    slab.freeSince = performance.now()
    if (this.#isClosed) void this.#remove(slab)
    else this.#free.push(slab)
  }

  /** Removes what has been free for so long. */
  trim(idleMs: number): void {
    const before = performance.now() - idleMs
    for (const slab of this.#free.filter(({ freeSince }) => freeSince <= before)) void this.#removeFree(slab)
  }

  /** What is still read may be read to its end; its memory goes with it. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#free.splice(0).map((slab) => this.#remove(slab)))
    // A file that comes while the folder is being emptied would keep it from being removed.
    await Promise.all(this.#making)
    await rm(this.folder, { recursive: true, force: true })
  }

  /** At once; who has them open may use them on. */
  removeFiles(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #make(sizeBytes: number): Promise<Slab | null> {
    if (this.#isClosed || !this.#makesRoom(sizeBytes)) return null
    this.#bytes += sizeBytes
    this.#lastId += 1
    const making = this.#makeFile(this.#lastId, sizeBytes)
    this.#making.add(making)
    const slab = await making
    this.#making.delete(making)
    return slab
  }

  async #makeFile(id: number, sizeBytes: number): Promise<Slab | null> {
    try {
      const { bavail, bsize } = await statfs(this.folder)
      // Others use shared memory too: never more than half of what is left.
      if (sizeBytes * 2 > bavail * bsize) throw new Error('Shared memory is short.')
      const slab = await Slab.make(id, join(this.folder, `slab-${id}`), sizeBytes)
      this.#all.add(slab)
      if (!this.#isClosed) return slab
      await this.#remove(slab)
      return null
    } catch {
      // Whoever wanted it has another way for its bytes, and may ask again later.
      this.#bytes -= sizeBytes
      return null
    }
  }

  /** Gives up free slabs, where that helps. */
  #makesRoom(sizeBytes: number): boolean {
    const freeBytes = this.#free.reduce((bytes, slab) => bytes + slab.sizeBytes, 0)
    if (this.#bytes - freeBytes + sizeBytes > this.limitBytes) return false
    while (this.#bytes + sizeBytes > this.limitBytes && this.#free[0] !== undefined)
      void this.#removeFree(this.#free[0])
    return true
  }

  #removeFree(slab: Slab): Promise<void> {
    this.#free.splice(this.#free.indexOf(slab), 1)
    return this.#remove(slab)
  }

  async #remove(slab: Slab): Promise<void> {
    this.#all.delete(slab)
    this.#bytes -= slab.sizeBytes
    // A file that cannot be removed goes with the folder, at the end or by the next server.
    await slab.remove().catch(() => {})
  }
}

function grant(slab: Slab): void {
  slab.state = 'granted'
  slab.generation += 1
}
