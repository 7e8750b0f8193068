/** The transfers of one worker (PROTOCOL.md section 9): chunks in, regions out. Throws ProtocolError for what the protocol does not allow. */

import type { Chunk } from '../workers/large-tensor-reports.ts'
import { ProtocolError } from '../workers/protocol-error.ts'
import type { TensorRegion, TransferReference } from '../workers/tensors.ts'
import type { TensorFigures } from './tensor-figures.ts'
import { TransferRegion } from './transfer-region.ts'
import type { TransferBytes, TransferStore } from './transfer-store.ts'

const transferBytesMax = 1024 * 1024 * 1024
/** Before one frame: each may be a file, and takes its room on the disk, until the frame comes. */
const transfersMax = 1024
const transfersBytesMax = 4 * 1024 * 1024 * 1024
/** While more than the first waits to be written, the worker is held back, until only the second does. */
const unwrittenBytesMax = 32 * 1024 * 1024
const unwrittenBytesGood = 8 * 1024 * 1024

interface Transfer {
  readonly id: number
  readonly totalBytes: number
  readonly bytes: TransferBytes
  filledBytes: number
}

export class Transfers {
  readonly #store: TransferStore
  readonly #figures: TensorFigures
  /** Whether the worker's stream shall be read. */
  readonly #onHold: (isHeld: boolean) => void
  #lastId = 0
  /** That came, or are coming, since the last frame; claimed ones count too. */
  #count = 0
  #countedBytes = 0
  #filling: Transfer | null = null
  readonly #complete = new Map<number, Transfer>()
  #unwrittenBytes = 0
  #isHeld = false
  #isClosed = false

  constructor(store: TransferStore, figures: TensorFigures, onHold: (isHeld: boolean) => void) {
    this.#store = store
    this.#figures = figures
    this.#onHold = onHold
  }

  take(chunk: Chunk): void {
    const transfer = this.#filling ?? this.#begin(chunk)
    requireNext(transfer, chunk)
    transfer.filledBytes += chunk.data.length
    this.#figures.copiedBytes += chunk.data.length
    this.#keep(transfer, chunk.data)
    if (transfer.filledBytes < transfer.totalBytes) return
    this.#filling = null
    this.#complete.set(transfer.id, transfer)
  }

  /** A frame refers to it. */
  claim({ id, length }: TransferReference): TensorRegion {
    const transfer = this.#complete.get(id)
    if (!transfer) throw new ProtocolError('order', `Transfer ${id} was referred to, but it has not come, or before.`)
    if (transfer.totalBytes !== length)
      throw new ProtocolError('metadata', `Transfer ${id} has ${transfer.totalBytes} bytes, not ${length}.`)
    this.#complete.delete(id)
    return new TransferRegion(transfer.bytes, length, (bytes) => {
      this.#figures.copiedBytes += bytes
    })
  }

  /** A STEPS frame has ended: what it did not refer to is nobody's. */
  dropUnclaimed(): void {
    for (const transfer of this.#complete.values()) this.#drop(transfer)
    this.#complete.clear()
    this.#count = this.#filling ? 1 : 0
    this.#countedBytes = this.#filling?.totalBytes ?? 0
  }

  /** The worker is gone. */
  close(): void {
    this.#isClosed = true
    if (this.#filling) this.#drop(this.#filling)
    this.#filling = null
    this.dropUnclaimed()
  }

  #begin({ transfer: id, totalBytes }: Chunk): Transfer {
    if (id <= this.#lastId)
      throw new ProtocolError('order', `Transfer ${id} came after transfer ${this.#lastId}; the numbers must rise.`)
    if (totalBytes > transferBytesMax)
      throw new ProtocolError('limit', `A transfer has at most ${transferBytesMax} bytes, not ${totalBytes}.`)
    this.#count += 1
    this.#countedBytes += totalBytes
    if (this.#count > transfersMax || this.#countedBytes > transfersBytesMax)
      throw new ProtocolError(
        'limit',
        `Before one frame come at most ${transfersMax} transfers, of at most ${transfersBytesMax} bytes in all.`,
      )
    this.#lastId = id
    this.#filling = { id, totalBytes, bytes: this.#store.begin(totalBytes), filledBytes: 0 }
    return this.#filling
  }

  #keep({ bytes }: Transfer, data: Buffer): void {
    const written = bytes.append(data)
    if (written === null) return
    const sizeBytes = data.length
    this.#unwrittenBytes += sizeBytes
    this.#holdOrGoOn()
    const end = () => {
      this.#unwrittenBytes -= sizeBytes
      this.#holdOrGoOn()
    }
    // Bytes that cannot be written are told to whoever reads the tensor.
    void written.then(end, end)
  }

  #holdOrGoOn(): void {
    const shallHold = this.#unwrittenBytes > (this.#isHeld ? unwrittenBytesGood : unwrittenBytesMax)
    if (shallHold === this.#isHeld || this.#isClosed) return
    this.#isHeld = shallHold
    this.#onHold(shallHold)
  }

  #drop(transfer: Transfer): void {
    transfer.bytes.close()
    this.#figures.droppedTransfers += 1
  }
}

function requireNext({ id, totalBytes, filledBytes }: Transfer, chunk: Chunk): void {
  if (chunk.transfer === id && chunk.totalBytes === totalBytes && chunk.offset === filledBytes) return
  throw new ProtocolError(
    'order',
    `A chunk at ${chunk.offset} of transfer ${chunk.transfer} (${chunk.totalBytes} bytes) came, when the one at ${filledBytes} of transfer ${id} (${totalBytes} bytes) was due.`,
  )
}
