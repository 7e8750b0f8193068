import { expect, test } from 'vitest'
import { pictureProtocol, pictureSequence } from '../../../src/cli/terminal-pictures.ts'

test.for([
  ['iTerm2', { TERM_PROGRAM: 'iTerm.app' }, 'iterm2'],
  ['WezTerm', { TERM_PROGRAM: 'WezTerm' }, 'iterm2'],
  ['kitty', { TERM: 'xterm-kitty' }, 'kitty'],
  ['a shell in kitty with another TERM', { TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'kitty'],
  ['Ghostty', { TERM_PROGRAM: 'ghostty' }, 'kitty'],
  ['a plain terminal', { TERM: 'xterm-256color' }, null],
  ['tmux in kitty', { TERM: 'tmux-256color', KITTY_WINDOW_ID: '1', TMUX: '/tmp/tmux-0/default,1,0' }, null],
] as const)('%s takes pictures its own way, or not at all', ([, environment, protocol]) => {
  expect(pictureProtocol(true, environment)).toBe(protocol)
  expect(pictureProtocol(false, environment)).toBeNull()
})

test('iTerm2 gets any picture in one escape', () => {
  expect(pictureSequence('iterm2', 'image/webp', Uint8Array.of(1, 2, 3))).toBe(
    '\u001b]1337;File=inline=1;size=3;height=10;preserveAspectRatio=1:AQID\u0007\n',
  )
})

test('kitty gets a PNG in pieces that it takes, which join to the file', () => {
  const bytes = new Uint8Array(7000).fill(65)
  const sequence = pictureSequence('kitty', 'image/png', bytes) ?? ''
  const pieces = sequence
    .split('\u001b_G')
    .slice(1)
    .map((piece) => piece.replace('\u001b\\', '').trimEnd().split(';'))
  expect(pieces.map(([head]) => head?.at(-1))).toEqual(['1', '1', '0'])
  expect(pieces.every(([, base64 = '']) => base64.length <= 4096)).toBe(true)
  expect(Buffer.from(pieces.map(([, base64]) => base64).join(''), 'base64')).toEqual(Buffer.from(bytes))
})

test('kitty gets nothing that is no PNG', () => {
  expect(pictureSequence('kitty', 'image/webp', Uint8Array.of(1))).toBeNull()
})
