/** Tensors are read in pieces of at most so many bytes. */
export const pieceBytesMax = 1024 * 1024
/** So few bytes are copied at once: handing them to another thread would take longer. */
export const smallBytesMax = 256 * 1024
