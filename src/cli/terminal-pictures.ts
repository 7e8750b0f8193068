/**
 * Pictures in a terminal, for those that take a picture's file as it is: iTerm2's inline images (WezTerm and others have them too) and kitty's graphics
 * protocol. Everywhere else there is the link.
 */

export type PictureProtocol = 'iterm2' | 'kitty'

/** Height of a picture in lines; terminals keep its proportions. */
const pictureLines = 10

/** kitty takes base64 in pieces of at most so many characters. */
const kittyPieceChars = 4096
/** A later picture with the same number takes the place of the one before. */
const kittyImage = 7001

/** Null: the terminal takes none, or output goes elsewhere. `environment` as in process.env. */
export function pictureProtocol(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): PictureProtocol | null {
  // Inside tmux and screen the escapes would end up as text.
  if (!isTerminal || environment['TMUX'] || environment['TERM']?.startsWith('screen')) return null
  const program = environment['TERM_PROGRAM'] ?? ''
  if (program === 'iTerm.app' || program === 'WezTerm') return 'iterm2'
  const isKitty = environment['KITTY_WINDOW_ID'] !== undefined || environment['TERM'] === 'xterm-kitty'
  return isKitty || program === 'ghostty' ? 'kitty' : null
}

/** Null for a type that the protocol does not take. The cursor ends on the line below the picture. */
export function pictureSequence(protocol: PictureProtocol, mimeType: string, bytes: Uint8Array): string | null {
  const base64 = Buffer.from(bytes).toString('base64')
  switch (protocol) {
    case 'iterm2': {
      const details = `inline=1;size=${bytes.byteLength};height=${pictureLines};preserveAspectRatio=1`
      return `\u001b]1337;File=${details}:${base64}\u0007\n`
    }
    case 'kitty':
      return mimeType === 'image/png' ? `${kittyPieces(base64)}\n` : null
    default:
      return protocol satisfies never
  }
}

/** Back to the first line of the picture above, so that the next one is drawn over it. */
export function overPicture(): string {
  return `\u001b[${pictureLines}A\r`
}

function kittyPieces(base64: string): string {
  const pieces: string[] = []
  for (let start = 0; start < base64.length; start += kittyPieceChars) {
    const isLast = start + kittyPieceChars >= base64.length
    // f=100: PNG; a=T: show at once; q=2: no answers, which nobody would read.
    const head = start === 0 ? `a=T,f=100,i=${kittyImage},r=${pictureLines},q=2,` : ''
    pieces.push(`\u001b_G${head}m=${isLast ? 0 : 1};${base64.slice(start, start + kittyPieceChars)}\u001b\\`)
  }
  return pieces.join('')
}
