import { expect, test } from 'vitest'
import { nameEnd } from '../../../../src/runtime/workers/worker-end.ts'

test.each([
  [
    'a program that is not there',
    { kind: 'never_started', reason: 'spawn /python ENOENT' },
    false,
    null,
    'spawn_failed',
  ],
  ['a death before the greeting', { kind: 'exited', status: 1 }, false, null, 'spawn_failed'],
  ['a signal', { kind: 'signalled', signal: 'SIGKILL' }, true, null, 'signal'],
  ['a signal in the middle of a frame', { kind: 'signalled', signal: 'SIGSEGV' }, true, 'cut', 'signal'],
  ['a crash in the middle of a frame', { kind: 'exited', status: 1 }, true, 'cut', 'exit_code'],
  ['leaving without being asked', { kind: 'exited', status: 0 }, true, null, 'exit_code'],
  ['leaving in the middle of a frame', { kind: 'exited', status: 0 }, true, 'cut', 'protocol_error'],
] as const)('%s', (_, end, saidHello, truncation, cause) => {
  expect(nameEnd(end, saidHello, truncation).cause).toBe(cause)
})

test('the detail says what happened', () => {
  expect(nameEnd({ kind: 'exited', status: 3 }, false, null).detail).toBe(
    'It exited with status 3 before it said hello.',
  )
  expect(nameEnd({ kind: 'signalled', signal: 'SIGKILL' }, true, null).detail).toBe('It was ended by SIGKILL.')
})
