/** The provider of CPU devices: one with all cores, or several as a file declares them. They share one memory, each within its own limit. */

import { readMemoryStalls } from './control-groups.ts'
import { type DeviceDeclaration, readDeviceFile } from './device-file.ts'
import { type HostMemory, readHostMemory } from './host-memory.ts'
import { type Processor, readProcessor } from './processor.ts'
import type { DeviceFacts, DeviceMeasure, DeviceProvider } from './provider.ts'
import { type ReadSystemFile, readSystemFile } from './system-files.ts'

/** Of the memory that is available at the start; the rest is left to the system, the server itself and whoever comes later. */
const limitShareDefault = 0.7
const nameDefault = 'cpu'

/** `deviceFile`: path of a file of declarations; null = one device named `cpu`. Throws an Error when the file cannot be followed. */
export async function cpuDevices(
  deviceFile: string | null,
  read: ReadSystemFile = readSystemFile,
): Promise<DeviceProvider> {
  const processor = readProcessor(read)
  const memory = readHostMemory(read)
  const declared =
    deviceFile === null
      ? [defaultDevice(memory)]
      : await readDeviceFile(deviceFile, { cores: processor.cores, totalBytes: memory.totalBytes })
  const devices = declared.map((declaration) => describe(declaration, processor, memory))
  return {
    devices,
    measure: (ownPrivateBytes) => measure(devices, ownPrivateBytes, readHostMemory(read), readMemoryStalls(read) ?? 0),
  }
}

function defaultDevice(memory: HostMemory): DeviceDeclaration {
  return { name: nameDefault, kind: 'cpu', memoryLimitBytes: Math.floor(memory.availableBytes * limitShareDefault) }
}

function describe(declaration: DeviceDeclaration, processor: Processor, memory: HostMemory): DeviceFacts {
  const cores = declaration.cores ?? processor.cores
  const coreCount = Math.min(processor.coreCount, cores.length || processor.coreCount)
  return {
    name: declaration.name,
    kind: 'CPU',
    vendor: processor.vendor,
    cores,
    coreCount,
    totalBytes: memory.totalBytes,
    limitBytes: declaration.memoryLimitBytes,
    capabilities: {
      coreCount,
      precisions: processor.precisions,
      architecture: processor.architecture,
      driverVersion: null,
      details: {
        model: processor.model,
        cores,
        cpuQuota: processor.cpuQuota,
        instructionSets: processor.instructionSets,
      },
    },
  }
}

/**
 * The devices have promised their limits; the workers have taken part of them as private memory; the rest must still be available. What is missing
 * has been taken by others and is shared out over the devices by what they still promise. (Mapped weights are file pages and count as available.)
 */
function measure(
  devices: readonly DeviceFacts[],
  ownPrivateBytes: (deviceName: string) => number,
  memory: HostMemory,
  stallShare: number,
): DeviceMeasure[] {
  const promisedBytes = devices.map(({ name, limitBytes }) => Math.max(0, limitBytes - ownPrivateBytes(name)))
  const allPromisedBytes = promisedBytes.reduce((sum, bytes) => sum + bytes, 0)
  const missingBytes = Math.max(0, allPromisedBytes - memory.availableBytes)
  const missingShare = allPromisedBytes === 0 ? 0 : missingBytes / allPromisedBytes
  return promisedBytes.map((bytes) => ({
    memoryUsedBytes: memory.totalBytes - memory.availableBytes,
    externalBytes: Math.round(bytes * missingShare),
    // They share one memory.
    stallShare,
  }))
}
