/** Main memory as this process may use it: the machine's, or what its control group leaves of it. */
import { freemem, totalmem } from 'node:os'
import { readGroupMemory } from './control-groups.ts'
import type { ReadSystemFile } from './system-files.ts'

export interface HostMemory {
  readonly totalBytes: number
  /** Can be had without swapping: free, or file pages that the kernel would give up. */
  readonly availableBytes: number
}

export function readHostMemory(read: ReadSystemFile): HostMemory {
  const machine = readMachineMemory(read)
  const group = readGroupMemory(read)
  if (group === null) return machine
  return {
    totalBytes: Math.min(machine.totalBytes, group.limitBytes),
    availableBytes: Math.min(machine.availableBytes, Math.max(0, group.limitBytes - group.usedBytes)),
  }
}

function readMachineMemory(read: ReadSystemFile): HostMemory {
  const information = read('/proc/meminfo') ?? ''
  const totalKiB = /^MemTotal:\s+(\d+) kB$/m.exec(information)?.[1]
  const availableKiB = /^MemAvailable:\s+(\d+) kB$/m.exec(information)?.[1]
  if (totalKiB === undefined || availableKiB === undefined) return { totalBytes: totalmem(), availableBytes: freemem() }
  return { totalBytes: Number(totalKiB) * 1024, availableBytes: Number(availableKiB) * 1024 }
}
