import { expect, test } from 'vitest'
import { pythonWorker, workerEnvironment } from '../../../../src/runtime/workers/worker-command.ts'
import type { DeviceId, WorkerId } from '../../../../src/scheduler/ids.ts'

const spec = {
  workerId: 42 as WorkerId,
  deviceId: 1 as DeviceId,
  engine: 'onnx',
  threads: 2,
  cores: [0, 3],
  privateBytesMax: 600,
}

test('a worker learns who it is, and nothing of the secrets around it', () => {
  const environment = workerEnvironment(spec, pythonWorker('/venv/bin/python', '/hearth/python_runtime'), {
    PATH: '/usr/bin',
    HOME: '/home/me',
    DATABASE_PASSWORD: 'secret',
    PYTHONPATH: '/elsewhere',
    HEARTH_ENGINE: 'llama_cpp',
  })
  expect(environment).toMatchObject({
    PATH: '/usr/bin',
    HOME: '/home/me',
    PYTHONPATH: '/hearth/python_runtime',
    HEARTH_WORKER_ID: '42',
    HEARTH_EPOCH: '42',
    HEARTH_ENGINE: 'onnx',
    HEARTH_THREADS: '2',
    HEARTH_CORES: '0,3',
    HEARTH_PRIVATE_BYTES: '600',
    OMP_NUM_THREADS: '2',
  })
  expect(environment).not.toHaveProperty('DATABASE_PASSWORD')
})

test('a worker learns where programs of third parties lie', () => {
  const programs = { paths: ['/own/programs', '/more'], reload: true }
  const environment = workerEnvironment(spec, pythonWorker('/venv/bin/python', '/hearth/python_runtime', programs), {
    HEARTH_PROGRAM_PATHS: 'relative',
  })
  expect(environment).toMatchObject({ HEARTH_PROGRAM_PATHS: '/own/programs:/more', HEARTH_PROGRAM_RELOAD: 'on' })
})
